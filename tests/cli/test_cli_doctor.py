from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from cli_logs import AGENT, START, line, write
from logvision.app.doctor import setup
from logvision.app.doctor.check import Check, State
from logvision.app.doctor.examine import examine
from logvision.clock import SettableClock

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]

NOW = START + timedelta(days=1)


def checks_of(
    path: Path | str, config: Path | None = None, at: datetime = NOW, **options: Any
) -> dict[str, Check]:
    """What the doctor says of one log, by the name of the check; of equal names the last."""
    found = examine(config, {}, [str(path)], SettableClock(at.timestamp()), **options)
    return {check.name: check for check in found if check.source is not None}


def state_of(path: Path, name: str, **options: Any) -> State:
    return checks_of(path, **options)[name].state


def of_lines(tmp_path: Path, lines: Iterable[str]) -> Path:
    return write(tmp_path / "access.log", lines)


def test_a_sound_log_is_well(tmp_path: Path) -> None:
    found = checks_of(of_lines(tmp_path, (line(n, f"/{n}") for n in range(300))))
    assert {name: check.state for name, check in found.items() if name != "fields"} == dict.fromkeys(
        ("readable", "format", "unparsed lines", "client address", "clock", "order", "gaps", "repeats"),
        State.OK,
    )
    assert found["format"].detail == "combined, 100% sure"
    assert found["clock"].detail == "newest line of 2024-05-14 12:04:59 UTC"


def test_compressed_logs_are_read(tmp_path: Path) -> None:
    log = tmp_path / "access.log.gz"
    log.write_bytes(gzip.compress("".join(line(n) + "\n" for n in range(60)).encode()))
    assert checks_of(log)["readable"].detail == "60 lines"


def test_unreadable_logs_fail(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.log", tmp_path):
        found = checks_of(path)
        assert found.keys() == {"readable"}
        assert found["readable"].state is State.FAIL


def test_an_empty_log_is_a_warning(tmp_path: Path) -> None:
    assert state_of(of_lines(tmp_path, []), "readable") is State.WARN


def test_lines_that_are_no_events_are_shown_by_cause(tmp_path: Path) -> None:
    good = [line(n) for n in range(90)]
    log = of_lines(tmp_path, [*good, *(f"nonsense {n}" for n in range(10))])
    check = checks_of(log)["unparsed lines"]
    assert check.state is State.WARN
    assert check.detail == "10 of 100 lines are no events: no_format 10"
    assert check.samples == ("no_format: nonsense 0", "no_format: nonsense 1", "no_format: nonsense 2")
    assert state_of(of_lines(tmp_path, ["nonsense"] * 60), "format") is State.FAIL
    assert state_of(of_lines(tmp_path, [*good[:60], *["nonsense"] * 40]), "unparsed lines") is State.FAIL


@pytest.mark.parametrize(
    "addresses", [["203.0.113.9"], ["172.18.0.1", "172.18.0.2"], ["104.16.1.1", "172.64.9.9"]]
)
def test_a_proxy_instead_of_visitors_is_found_and_the_cure_named(
    tmp_path: Path, addresses: list[str]
) -> None:
    log = of_lines(tmp_path, (line(n, f"/{n}", address=addresses[n % len(addresses)]) for n in range(100)))
    check = checks_of(log)["client address"]
    assert check.state is State.FAIL
    assert f"    set_real_ip_from {addresses[0]};" in check.advice
    assert "    RemoteIPHeader X-Forwarded-For" in check.advice


def test_a_house_full_of_private_addresses_is_no_proxy(tmp_path: Path) -> None:
    log = of_lines(tmp_path, (line(n, address=f"10.0.{n % 4}.{n}") for n in range(200)))
    assert state_of(log, "client address") is State.OK


def test_a_forwarded_column_that_nobody_believes_is_a_warning(tmp_path: Path) -> None:
    log = of_lines(tmp_path, (f'{line(n, address="10.0.0.2")} "198.51.100.{n % 100}"' for n in range(100)))
    check = checks_of(log)["trusted proxies"]
    assert check.state is State.WARN
    assert check.advice == ("[client]", 'presets = ["private"]')
    config = tmp_path / "logvision.toml"
    config.write_text('[client]\npresets = ["private"]\n')
    found = checks_of(log, config)
    assert (found["trusted proxies"].state, found["client address"].state) == (State.OK, State.OK)


def test_times_of_the_future_are_a_warning(tmp_path: Path) -> None:
    log = of_lines(tmp_path, (line(n) for n in range(60)))
    check = checks_of(log, at=START - timedelta(hours=3))["clock"]
    assert (check.state, "3.0 h in the future" in check.detail) == (State.WARN, True)


def test_a_file_that_grows_now_with_lines_hours_old_has_a_wrong_zone(tmp_path: Path) -> None:
    log = of_lines(tmp_path, (line(n) for n in range(60)))
    now = START + timedelta(hours=2, seconds=62)
    os.utime(log, (now.timestamp(), now.timestamp()))
    check = checks_of(log, at=now)["clock"]
    assert check.state is State.WARN
    assert check.detail == "the file changed just now, and its newest line is 2.0 h old: a wrong zone?"
    later = now + timedelta(minutes=7)
    os.utime(log, (later.timestamp(), later.timestamp()))
    assert state_of(log, "clock", at=later) is State.OK


def test_zones_of_their_own_are_understood(tmp_path: Path) -> None:
    east = timezone(timedelta(hours=8))
    log = of_lines(
        tmp_path, (line(n, time=(START + timedelta(seconds=n)).astimezone(east)) for n in range(60))
    )
    assert checks_of(log)["clock"].detail == "newest line of 2024-05-14 12:00:59 UTC"


def test_times_that_step_back_are_a_warning(tmp_path: Path) -> None:
    first, second = [line(n) for n in range(3600, 3660)], [line(n) for n in range(60)]
    check = checks_of(of_lines(tmp_path, [*first, *second]))["order"]
    assert check.state is State.WARN
    assert check.detail.startswith("times step back 1 times by over a minute, at most by 61.0 min")
    jitter = [line(n + 30 * (n % 2)) for n in range(100)]
    assert state_of(of_lines(tmp_path, jitter), "order") is State.OK


def test_a_silence_that_stands_out_is_named_and_ordinary_nights_are_not(tmp_path: Path) -> None:
    def day(number: int, hours: Iterable[int]) -> list[str]:
        start = START.replace(hour=0) + timedelta(days=number)
        return [line(m, time=start + timedelta(hours=h, minutes=m)) for h in hours for m in range(0, 60, 5)]

    days = [day(n, range(7, 23)) for n in range(6)]
    late = START + timedelta(days=30)
    assert state_of(of_lines(tmp_path, chain(*days)), "gaps", at=late) is State.OK
    check = checks_of(of_lines(tmp_path, chain(*days[:3], *days[5:])), at=late)["gaps"]
    assert check.state is State.WARN
    assert check.detail == "1 silence longer than this log's own: 2024-05-16 22:55:00 UTC for 2.3 d"


def test_a_silence_within_a_day_is_named(tmp_path: Path) -> None:
    lines = [line(n) for n in [*range(0, 3000, 10), *range(20_000, 23_000, 10)]]
    assert checks_of(of_lines(tmp_path, lines))["gaps"].detail == (
        "1 silence longer than this log's own: 2024-05-14 12:49:50 UTC for 4.7 h"
    )


def test_lines_shipped_twice_are_found(tmp_path: Path) -> None:
    log = of_lines(tmp_path, [one for n in range(100) for one in [line(n, f"/{n}")] * 2])
    check = checks_of(log)["repeats"]
    assert check.state is State.WARN
    assert check.detail.startswith("50.0% of the lines stand there once already")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('2026/05/01 10:00:00 [error] 12#0: *1 open() "/x" failed, client: 203.0.113.9', "error log"),
        (
            "[Fri May 01 10:00:00.1 2026] [php:error] [pid 1:tid 2] [client 203.0.113.9] PHP",
            "error log",
        ),
        ("[Fri May 01 10:00:00 2026] [error] [client 203.0.113.9] File does not exist: /x", "error log"),
        ('{"__REALTIME_TIMESTAMP":"1790000000000000","MESSAGE":"203.0.113.9 - -"}', "journal as JSON"),
        ("2026-05-01 10:00:00 10.0.0.1 GET /a - 443 - 203.0.113.9 Mozilla/5.0 - 200 0 0 15", "#Fields:"),
        ("2\0000\0003\000.\0000", "UTF-16"),
        (
            f'203.0.113.9 - - [01/May/2031:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "{AGENT}"',
            "are impossible",
        ),
        ("words that nobody knows", "no line fits a known format"),
    ],
)
def test_a_log_without_requests_is_told_for_what_it_is(tmp_path: Path, text: str, detail: str) -> None:
    found = checks_of(of_lines(tmp_path, [text] * 3))["format"]
    assert (found.state, detail in found.detail, len(found.advice) > 0) == (State.FAIL, True, True)


def test_what_the_format_lacks_is_named_with_what_it_costs(tmp_path: Path) -> None:
    log = of_lines(tmp_path, (line(n).removesuffix(f' "-" "{AGENT}"') for n in range(60)))
    said = [
        check.detail.split(":")[0]
        for check in examine(None, {}, [str(log)], SettableClock(NOW.timestamp()))
        if check.name == "fields"
    ]
    assert said == ["no user_agent", "no referer", "no duration", "no site"]


def test_only_so_many_lines_are_read(tmp_path: Path) -> None:
    log = of_lines(tmp_path, (line(n) for n in range(60_000)))
    found = checks_of(log, limit=100)
    assert found["format"].detail.endswith("lines were read)")


def test_every_mistake_of_the_configuration_is_a_failure_and_the_logs_are_still_looked_at(
    tmp_path: Path,
) -> None:
    config = tmp_path / "logvision.toml"
    config.write_text('[formats]\n"*" = "combind"\n[client]\npresets = ["cloudflair"]\n')
    log = of_lines(tmp_path, (line(n) for n in range(60)))
    found = list(examine(config, {}, [str(log)], SettableClock(NOW.timestamp())))
    wrong = [check.detail for check in found if check.name == "configuration"]
    assert [check.state for check in found if check.name == "configuration"] == [State.FAIL, State.FAIL]
    assert "combind" in wrong[0]
    assert "cloudflair" in wrong[1]
    assert any(check.name == "format" and check.state is State.OK for check in found)


def test_the_configured_logs_are_looked_at_when_none_is_named(tmp_path: Path) -> None:
    log = of_lines(tmp_path, (line(n) for n in range(60)))
    config = tmp_path / "logvision.toml"
    config.write_text(f'[source]\npaths = ["{log}"]\n')
    found = examine(config, {}, [], SettableClock(NOW.timestamp()))
    assert {check.source for check in found} == {None, str(log)}


def test_without_the_native_core_all_works_slower_and_that_is_said() -> None:
    there, absent = setup.native_core(True, "in use"), setup.native_core(False, "not built")

    assert (there.state, there.detail) == (State.OK, "in use")
    assert (absent.state, absent.detail) == (State.WARN, "not built: the same answers, several times slower")
    assert "hatch_build.py" in absent.advice[0]


def test_missing_network_data_and_page_are_warnings(tmp_path: Path) -> None:
    from logvision.config import NetworkSettings  # noqa: PLC0415

    nothing = setup.network_data(NetworkSettings(), tmp_path / "networks.npz")
    assert nothing.state is State.WARN
    broken = setup.network_data(NetworkSettings(country_db=tmp_path / "x.mmdb"))
    assert broken.state is State.FAIL
    assert setup.the_page(tmp_path).state is State.WARN


def test_a_port_that_is_taken_is_a_failure(command: Command) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, out, _ = command("doctor", "--port", port)
    assert code == 1
    assert f"fail port  127.0.0.1:{port}: Address already in use" in out


def test_a_data_folder_tells_what_it_holds_and_who_has_it(command: Command, tmp_path: Path) -> None:
    log = of_lines(tmp_path, (line(n) for n in range(60)))
    assert command("scan", log, "--data", "data")[0] == 0
    code, out, _ = command("doctor", "--data", "data", "--port", 0)
    assert code == 0
    assert f"ok   data folder  {tmp_path / 'data'}: 60 events in 1 segments, " in out
    assert "A LogVision writes there now." not in out
    from logvision.lake.segments import Lake  # noqa: PLC0415

    with Lake.open(tmp_path / "data", writer=True):
        assert "A LogVision writes there now." in command("doctor", "--data", "data", "--port", 0)[1]


def test_a_data_folder_that_is_a_file_is_a_failure(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    code, out, _ = command("doctor", "--data", "data", "--port", 0)
    assert code == 1
    assert f"fail data folder  {tmp_path / 'data'} is not a folder" in out


def test_json_holds_every_check(command: Command, tmp_path: Path) -> None:
    log = of_lines(tmp_path, [*(line(n, address="10.0.0.1") for n in range(60)), "=1+1 \x1b[31m"])
    code, out, _ = command("doctor", log, "--port", 0, "--json")
    found = json.loads(out)
    assert (code, found["ok"]) == (1, False)
    by_name = {check["name"]: check for check in found["checks"]}
    assert by_name["client address"]["state"] == "fail"
    assert by_name["unparsed lines"]["samples"] == ["binary: =1+1 \\x1b[31m"]


def test_log_text_is_shown_and_never_obeyed(command: Command, tmp_path: Path) -> None:
    log = of_lines(tmp_path, ["\x1b]0;title\x07[red]x[/red]\u202e"] * 60)
    _, out, _ = command("doctor", log, "--port", 0)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\\x1b]0;title\\x07[red]x[/red]\\u202e" in out
