"""From log files through a real broker into the lake: every line exactly once, whatever breaks on the way."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions
from shippers import (
    Shipper,
    every,
    incidents,
    lake_counts,
    messages,
    once,
    text,
    topic_source,
    undisturbed,
    write,
)
from whole_runs import Watched, event_rows, line, reject_rows, until

from cluster_servers import make_topic
from logvision.schema import Reason
from logvision.sources.base import LINE_LIMIT
from logvision.sources.kafka.origin import PLACE, SOURCE
from logvision.sources.kafka.reader import KafkaSource
from servers import Kafka, SecureKafka

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    yield
    for shipper in list(Shipper.running):
        shipper.kill()


def watched(kafka: Kafka, topic: str, data: Path, group: str = "readers") -> Watched:
    # Few segments: these tests look into the whole lake again and again.
    return Watched(Path(), data, source=topic_source(kafka, topic, group), lake={"flush_s": 0.4})


def test_lines_of_several_logs_stand_in_the_lake_once_each_with_their_places(
    kafka: Kafka, tmp_path: Path
) -> None:
    make_topic(kafka, "plain", 3)
    logs = [tmp_path / name for name in ("a.log", "b.log", "c.log")]
    for log in logs:
        write(log, range(300))
    assert "900 lines sent" in once(kafka, "plain", tmp_path / "state", *logs)
    assert "0 lines sent" in once(kafka, "plain", tmp_path / "state", *logs)
    expected = every({f"web1:{log}": 300 for log in logs})
    with watched(kafka, "plain", tmp_path / "data") as run:
        run.until(lambda: lake_counts(tmp_path / "data").total() >= 900, "the lines")
        rows = {row["source"]: row for row in run.get("api/sources")["rows"]}
        assert set(rows) == {f"web1:{log}" for log in logs}
        assert {row["state"] for row in rows.values()} == {"following"}
    assert lake_counts(tmp_path / "data") == expected
    ends = [row["position"] for row in event_rows(tmp_path / "data") if row["bytes"] == 299]
    size = logs[0].stat().st_size - len(text(299))
    assert ends == [size] * 3  # a line's place is that in its log, not that in the topic


def test_a_restart_of_the_reader_goes_on_after_its_last_segment(kafka: Kafka, tmp_path: Path) -> None:
    make_topic(kafka, "restart", 2)
    log, data = tmp_path / "a.log", tmp_path / "data"
    for part in range(3):
        write(log, range(part * 100, part * 100 + 100))
        once(kafka, "restart", tmp_path / "state", log)
        with watched(kafka, "restart", data) as run:
            run.until(lambda part=part: lake_counts(data).total() >= part * 100 + 100, "the lines")
    assert lake_counts(data) == every({f"web1:{log}": 300})
    assert incidents(data) == undisturbed({f"web1:{log}": log}, tmp_path / "undisturbed")


def test_a_broker_that_stops_and_starts_costs_nothing_and_is_missed_meanwhile(
    kafka: Kafka, tmp_path: Path
) -> None:
    make_topic(kafka, "broken", 2)
    log, data = tmp_path / "a.log", tmp_path / "data"
    write(log, range(1000))
    shipper = Shipper(kafka, "broken", tmp_path / "state", log).start()
    with watched(kafka, "broken", data) as run:
        run.until(lambda: lake_counts(data).total() == 1000, "the first lines")
        kafka.kill()
        try:
            write(log, range(1000, 2000))

            def missed() -> bool:
                rows = run.get("api/sources")["rows"]
                return [(r["state"], "reached" in r["detail"]) for r in rows] == [("waiting", True)]

            run.until(missed, "the page says that the broker is missing")
        finally:
            kafka.start()
        write(log, range(2000, 3000))
        run.until(lambda: lake_counts(data).total() >= 3000, "all lines")
        run.until(lambda: run.get("api/sources")["rows"][0]["state"] == "following", "all is well again")
    said = shipper.end()
    assert "no broker can be reached" in said
    assert "3,000 lines sent" in said
    assert lake_counts(data) == every({f"web1:{log}": 3000})
    assert incidents(data) == undisturbed({f"web1:{log}": log}, tmp_path / "undisturbed")


def test_a_shipper_killed_between_send_and_acknowledgement_repeats_lines_that_count_once(
    kafka: Kafka, tmp_path: Path
) -> None:
    make_topic(kafka, "killed", 2)
    log, data = tmp_path / "a.log", tmp_path / "data"
    chance, lines = random.Random(5), 0
    for _ in range(8):
        shipper = Shipper(kafka, "killed", tmp_path / "state", log).start()
        shipper.announced()
        end = time.monotonic() + chance.uniform(0.05, 1.5)
        while time.monotonic() < end:
            write(log, range(lines, lines + 20))
            lines += 20
            time.sleep(0.005)
        shipper.kill()
    once(kafka, "killed", tmp_path / "state", log)
    assert messages(kafka, "killed") > lines  # it did happen
    with watched(kafka, "killed", data) as run:
        run.until(lambda: lake_counts(data).total() >= lines, "the lines")
    assert lake_counts(data) == every({f"web1:{log}": lines})
    assert incidents(data) == undisturbed({f"web1:{log}": log}, tmp_path / "undisturbed")


def test_a_lost_position_file_sends_everything_again_and_loses_nothing(kafka: Kafka, tmp_path: Path) -> None:
    make_topic(kafka, "anew")
    log, data = tmp_path / "a.log", tmp_path / "data"
    write(log, range(100))
    once(kafka, "anew", tmp_path / "state", log)
    (tmp_path / "state").unlink()
    log.unlink()
    write(log, range(100, 150))
    once(kafka, "anew", tmp_path / "state", log)
    with watched(kafka, "anew", data) as run:
        run.until(lambda: lake_counts(data).total() >= 150, "the lines")
    assert lake_counts(data) == every({f"web1:{log}": 150})


def test_poison_messages_are_counted_rejects_and_stop_nothing(kafka: Kafka, tmp_path: Path) -> None:
    make_topic(kafka, "poison", limit=4 << 20)
    producer = Producer({"bootstrap.servers": kafka.address, "message.max.bytes": 4 << 20})
    good = line(7, "/good").rstrip(b"\n")
    poison: list[tuple[bytes | None, list[tuple[str, bytes | None]]]] = [
        (None, []),
        (b"", []),
        (b"\xff\xfe\x00\x01", []),
        (b"not a log line", []),
        (b'{"message": ', []),
        (good + b"\n" + good, []),
        (good, [(SOURCE, b"\xff"), (PLACE, b"x:y")]),
        (good, [(SOURCE, None), (PLACE, b"-1:-1")]),
        (b"x" * (LINE_LIMIT + 1), []),
    ]
    for value, headers in poison:
        producer.produce("poison", value, headers=headers)
    producer.produce("poison", good)
    assert producer.flush(30) == 0
    data = tmp_path / "data"
    with watched(kafka, "poison", data) as run:
        run.until(
            lambda: (data / "events").is_dir() and len(event_rows(data)) + len(reject_rows(data)) == 10,
            "every message is one row",
        )
    assert [row["bytes"] for row in event_rows(data)] == [7, 7, 7]
    assert [row["position"] for row in reject_rows(data)] == [0, 1, 2, 3, 4, 5, 8]
    reasons = [row["reason"] for row in reject_rows(data)]
    assert reasons[:2] == [Reason.EMPTY, Reason.EMPTY]
    assert reasons[-1] == Reason.TOO_LONG


def test_a_line_that_the_broker_finds_too_large_is_a_reject_and_holds_nothing_up(
    kafka: Kafka, tmp_path: Path
) -> None:
    make_topic(kafka, "small", limit=20_000)
    log, data = tmp_path / "a.log", tmp_path / "data"
    noise = random.Random(3).randbytes(30_000).hex()
    write(log, range(10))
    with log.open("ab") as file:
        file.write(line(10, f"/{noise}"))
    write(log, range(11, 20))
    assert "20 lines sent" in once(kafka, "small", tmp_path / "state", log)
    with watched(kafka, "small", data) as run:
        run.until(lambda: lake_counts(data).total() >= 19 and reject_rows(data), "the lines")
    assert lake_counts(data) == every({f"web1:{log}": 20}) - Counter({(f"web1:{log}", 10): 1})
    assert [row["reason"] for row in reject_rows(data)] == [Reason.TOO_LONG]


def test_two_readers_of_a_group_share_the_partitions_and_count_each_line_once_between_them(
    kafka: Kafka, tmp_path: Path
) -> None:
    make_topic(kafka, "shared", 6)
    logs = [tmp_path / f"{number}.log" for number in range(12)]
    lines = 0

    def grow() -> None:
        nonlocal lines
        for log in logs:
            write(log, range(lines, lines + 50))
        lines += 50

    def counted(*folders: Path) -> bool:
        return lake_counts(*folders).total() >= lines * len(logs)

    one, two = tmp_path / "one", tmp_path / "two"
    shipper = Shipper(kafka, "shared", tmp_path / "state", *logs).start()
    grow()
    with watched(kafka, "shared", one) as first:
        first.until(lambda: counted(one), "the first reader reads all")
        with watched(kafka, "shared", two) as second:

            def both() -> bool:
                grow()
                time.sleep(0.1)  # lines come while partitions move
                return bool(lake_counts(two))

            second.until(both, "the second one has some")
            grow()
            second.until(lambda: counted(one, two), "all lines")
        grow()
        first.until(lambda: counted(one, two), "the first one has all again")
    shipper.end()
    assert lake_counts(one, two) == every({f"web1:{log}": lines for log in logs})
    assert lake_counts(two)


def test_eight_shippers_on_twenty_partitions_lose_and_repeat_nothing(kafka: Kafka, tmp_path: Path) -> None:
    make_topic(kafka, "many", 20)
    data, sizes, logs = tmp_path / "data", {}, {}
    shippers = []
    for number in range(8):
        folder = tmp_path / f"web{number}"
        folder.mkdir()
        for log in range(3):
            lines = 8000 if number == log == 0 else 100 * (1 + log)  # one source has most of it
            path = folder / f"{log}.log"
            write(path, range(lines))
            name = f"web{number}:{path}"
            sizes[name], logs[name] = lines, path
        state = tmp_path / f"state{number}"
        words = ("--once", folder / "*.log")
        shippers.append(Shipper(kafka, "many", state, *words, host=f"web{number}").start())
    with watched(kafka, "many", data) as run:
        for shipper in shippers:
            shipper.wait()
        run.until(lambda: lake_counts(data).total() >= sum(sizes.values()), "the lines")
    assert lake_counts(data) == every(sizes)
    assert incidents(data) == undisturbed(logs, tmp_path / "undisturbed")


def test_clocks_that_differ_and_lines_out_of_order_are_all_kept(kafka: Kafka, tmp_path: Path) -> None:
    make_topic(kafka, "skewed", 4)
    hosts = {
        "ahead": "14/May/2024:14:30:00 +0000",
        "right": "14/May/2024:12:00:00 +0000",
        "behind": "13/May/2024:23:00:00 +0000",
    }
    data, sizes = tmp_path / "data", {}
    with watched(kafka, "skewed", data) as run:
        for round_ in range(3):
            for host, clock in hosts.items():
                log = tmp_path / f"{host}.log"
                numbers = range(round_ * 200, round_ * 200 + 200)
                write(log, numbers[:100], time=clock)
                write(log, numbers[100:], time=f"0{round_ + 1}/May/2024:00:00:00 +0000")  # days late
                once(kafka, "skewed", tmp_path / f"{host}.state", log, host=host)
                sizes[f"{host}:{log}"] = 200 * (round_ + 1)
        run.until(lambda: lake_counts(data).total() >= sum(sizes.values()), "the lines")
    assert lake_counts(data) == every(sizes)
    logs = {f"{host}:{tmp_path}/{host}.log": tmp_path / f"{host}.log" for host in hosts}
    assert incidents(data) == undisturbed(logs, tmp_path / "undisturbed")


def test_partitions_that_are_added_are_read_and_a_log_stays_in_its_own(kafka: Kafka, tmp_path: Path) -> None:
    make_topic(kafka, "growing", 1)
    old, new, data = tmp_path / "old.log", tmp_path / "new1.log", tmp_path / "data"
    write(old, range(100))
    once(kafka, "growing", tmp_path / "state", old)
    with watched(kafka, "growing", data) as run:
        run.until(lambda: lake_counts(data).total() == 100, "the first lines")
        admin = AdminClient({"bootstrap.servers": kafka.address})
        admin.create_partitions([NewPartitions("growing", 16)])["growing"].result(30)
        write(old, range(100, 200))
        write(new, range(100))
        once(kafka, "growing", tmp_path / "state", old, new)
        run.until(lambda: lake_counts(data).total() >= 300, "lines of new partitions")
    assert lake_counts(data) == every({f"web1:{old}": 200, f"web1:{new}": 100})
    assert incidents(data) == undisturbed({f"web1:{old}": old, f"web1:{new}": new}, tmp_path / "undisturbed")
    assert orjson.loads((tmp_path / "state").read_bytes())["partitions"][str(old)] == 0


def test_a_topic_that_is_not_there_yet_is_waited_for(kafka: Kafka, tmp_path: Path) -> None:
    log, data = tmp_path / "a.log", tmp_path / "data"
    write(log, range(50))
    shipper = Shipper(kafka, "later", tmp_path / "state", log).start()
    shipper.announced()
    with watched(kafka, "later", data) as run:
        until(lambda: run.get("api/sources")["rows"][0]["state"] == "waiting", "the page says so")
        make_topic(kafka, "later", 2)
        run.until(lambda: lake_counts(data).total() >= 50, "the lines")
    assert "50 lines sent" in shipper.end()
    assert lake_counts(data) == every({f"web1:{log}": 50})


@pytest.mark.timeout(480)  # four topics one after the other: eight seconds, or minutes beside much else
def test_a_topic_made_anew_with_fewer_partitions_is_taken_up_by_both_sides(
    kafka: Kafka, tmp_path: Path
) -> None:
    admin, partitions = AdminClient({"bootstrap.servers": kafka.address}), 20
    logs, data = [tmp_path / f"{number}.log" for number in range(6)], tmp_path / "data"
    with watched(kafka, "remade", data) as run:
        shipper = None
        for turn in range(4):
            make_topic(kafka, "remade", partitions)
            for log in logs:
                write(log, range(turn * 100, turn * 100 + 100))
            shipper = shipper or Shipper(kafka, "remade", tmp_path / "state", *logs).start()
            # As many lines as the former one had and more: its offsets mean nothing.
            lines = 600 * (turn + 1)
            run.until(lambda lines=lines: lake_counts(data).total() >= lines, "lines of this topic")
            admin.delete_topics(["remade"])["remade"].result(30)
            run.until(lambda: run.get("api/sources")["rows"][0]["state"] == "waiting", "the page says so")
            partitions = max(2, partitions // 3)
        assert shipper is not None
        shipper.end()
    assert lake_counts(data) == every({f"web1:{log}": 400 for log in logs})


def test_a_broker_that_wants_a_password_and_tls_is_served_by_settings_passed_through(
    secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    address = secure_kafka.secure_address
    settings = {**secure_kafka.client_settings, "sasl.password": secure_kafka.password}
    make_topic(secure_kafka, "secret")
    log, data = tmp_path / "a.log", tmp_path / "data"
    write(log, range(100))
    config = tmp_path / "logvision.toml"
    lines = [f'"{name}" = "{value}"' for name, value in settings.items()]
    config.write_text("[kafka.settings]\n" + "\n".join(lines))
    words = ["--kafka", address, "--config", str(config), log]
    assert "100 lines sent" in once(secure_kafka, "secret", tmp_path / "state", *words)
    source = KafkaSource(address, "secret", "readers", tuple(settings.items()))
    with Watched(Path(), data, source=source) as run:
        run.until(lambda: lake_counts(data).total() >= 100, "the lines")
    assert lake_counts(data) == every({f"web1:{log}": 100})
    wrong_password = tuple({**settings, "sasl.password": "no"}.items())
    wrong = KafkaSource(address, "secret", "readers", wrong_password)
    with Watched(Path(), tmp_path / "other", source=wrong) as run:

        def told() -> bool:
            (row,) = run.get("api/sources")["rows"]
            return row["state"] == "waiting" and "uthentication" in row["detail"]

        run.until(told, "the page says that the password is wrong")
        assert "'no'" not in repr(wrong)
