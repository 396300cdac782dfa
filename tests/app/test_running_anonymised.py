"""With anonymisation on, no client's address stands anywhere in what a run keeps, shows or prints."""

from __future__ import annotations

import ipaddress
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from whole_runs import Watched, event_rows, line, reject_rows, scan

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.slow]

ADDRESSES = [f"203.0.113.{n}" for n in range(10, 16)] + ["2001:db8:1:2::3", "2001:db8:1:2::4"]
ATTACK = "/item?id=1%27%20UNION%20SELECT%20password%20FROM%20users--"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Visits, attacks and rejected lines of every address."""
    log = tmp_path / "access.log"
    lines = [line(n, target, address=a) for a in ADDRESSES for n, target in enumerate(["/", ATTACK, "/.env"])]
    junk = [f'{a} - - [31/Feb/2024:12:00:00 +0000] "GET / HTTP/1.1" 200 1\n'.encode() for a in ADDRESSES]
    log.write_bytes(b"".join(lines + junk))
    return log


def contents(folder: Path) -> Iterator[str]:
    """Everything that the files of a data folder say: their bytes, and Parquet and SQLite unpacked."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        yield path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                yield str(file.metadata.metadata)
                table = file.read()
            for name in table.column_names:
                column = table.column(name)
                if pa.types.is_dictionary(column.type):
                    column = column.cast(pa.string())
                yield str(column.to_pylist())
        if path.suffix == ".sqlite":
            database = sqlite3.connect(path)
            yield "\n".join(database.iterdump())
            yield "\n".join(
                bytes(state).decode("latin-1") for (state,) in database.execute("select state from states")
            )
            database.close()


@pytest.mark.parametrize("how", ["truncate", "hash"])
def test_no_address_stands_in_the_data_folder(log: Path, tmp_path: Path, how: str) -> None:
    data = tmp_path / "data"
    run = scan(log, data, anonymise=how)

    kept = list(contents(data))
    assert [address for address in ADDRESSES if any(address in text for text in kept)] == []
    assert run.result()["events"] == 24
    assert run.result()["reject_reasons"] == {"bad_time": 8}
    assert run.result()["attacks"] >= 16
    assert run.incidents() != []
    assert not any(
        address in orjson.dumps(i.to_dict()).decode() for i in run.incidents() for address in ADDRESSES
    )
    assert all(row["raw"].startswith(b"* - - [31/Feb/* +0000]") for row in reject_rows(data))


def test_without_it_the_addresses_do_stand_there(log: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    scan(log, data)
    kept = list(contents(data))
    assert [address for address in ADDRESSES if not any(address in text for text in kept)] == []


def test_truncated_addresses_are_those_of_the_network(log: Path, tmp_path: Path) -> None:
    run = scan(log, tmp_path / "data", anonymise="truncate")
    assert {row["client_ip"] for row in event_rows(tmp_path / "data")} == {"203.0.113.0", "2001:db8:1::"}
    assert run.result()["visitors"] == 2


def test_hashed_addresses_are_as_many_as_before_each_its_own_actor_and_the_same_in_the_next_run(
    log: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    run = scan(log, data, anonymise="hash")
    hashed = {row["client_ip"] for row in event_rows(data)}
    assert len(hashed) == run.result()["visitors"] == len(ADDRESSES)
    assert {incident.actor for incident in run.incidents()} == {f"ip:{text}" for text in hashed}

    with log.open("ab") as file:
        file.write(b"".join(line(9, address=address) for address in ADDRESSES))
    scan(log, data, anonymise="hash")
    assert len(event_rows(data)) == 24 + 8
    assert {row["client_ip"] for row in event_rows(data)} == hashed


def test_the_live_page_never_shows_an_address(log: Path, tmp_path: Path) -> None:
    with Watched(log, tmp_path / "data", lake={"anonymise": "hash"}) as run:
        run.until(lambda: len(run.get("api/events")["rows"]) == 24, "the events")
        said = [orjson.dumps(run.get(f"api/{what}")).decode() for what in ("events", "incidents", "sources")]
    shown = "".join(said)
    assert "anon-" in shown
    assert not [a for a in ADDRESSES if str(ipaddress.ip_address(a)) in shown]


def test_a_search_engine_is_not_taken_for_a_fake_because_its_address_was_cut(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    # A /28 that its operator publishes: the address of its /24 is not in it.
    inside, outside = "34.64.82.65", "93.184.216.34"
    name = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    log.write_bytes(b"".join(line(n, f"/{n}", address=inside, agent=name) for n in range(50)))
    honest = scan(log, tmp_path / "honest", anonymise="truncate").incidents()
    log.write_bytes(b"".join(line(n, f"/{n}", address=outside, agent=name) for n in range(50)))
    fake = scan(log, tmp_path / "fake", anonymise="truncate").incidents()
    plain = scan(log, tmp_path / "plain").incidents()

    assert honest == []
    assert [list(i.attacks) for i in fake] == [list(i.attacks) for i in plain] != []
