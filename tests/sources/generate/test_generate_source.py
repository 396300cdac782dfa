"""The generator as a source: paced by a clock, resumable, deterministic."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from logvision.clock import SettableClock
from logvision.errors import SetupError
from logvision.schema import RECORD
from logvision.sources.base import Batch
from logvision.sources.generate import Format, GenerateReader, GenerateSource
from logvision.sources.generate.stream import Stream

pytestmark = pytest.mark.slow

NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)


def free(**more: Any) -> GenerateSource:
    return GenerateSource(seed=2, rate=None, start=FRIDAY, clock=SettableClock(NOON), **more)


def warmed(reader: GenerateReader) -> GenerateReader:
    while reader.status()[0].state == "waiting":
        assert reader.read(1) == [] or reader.status()[0].extra["lines"] == 1
    return reader


def everything(reader: GenerateReader, limit: int = 1 << 20) -> list[Batch]:
    batches: list[Batch] = []
    while not reader.finished:
        batches += reader.read(limit)
    return batches


def lines(batches: list[Batch]) -> list[bytes]:
    return [line for batch in batches for line in batch.records["raw"].to_pylist()]


@pytest.fixture(scope="module")
def whole() -> list[bytes]:
    return lines(everything(free(lines=3_000).open({})))


def test_records_have_the_schema_and_count_up_from_zero() -> None:
    batches = everything(free(lines=2_500).open({}))
    assert all(batch.records.schema == RECORD for batch in batches)
    assert [n for batch in batches for n in batch.records["position"].to_pylist()] == list(range(2_500))
    assert {batch.source for batch in batches} == {"generate"}
    assert sum(batch.bytes for batch in batches) == sum(len(line) for line in lines(batches))


def test_the_same_seed_gives_the_same_bytes_whatever_is_read_at_a_time(whole: list[bytes]) -> None:
    assert whole == lines(everything(free(lines=3_000).open({}), 20_000))


@pytest.mark.parametrize("stop", [1, 2_999])
def test_a_reader_goes_on_where_the_last_one_stopped(whole: list[bytes], stop: int) -> None:
    first = everything(free(lines=stop).open({}))
    rest = everything(free(lines=3_000).open({"generate": first[-1].resume}))
    assert lines(first) + lines(rest) == whole


@pytest.mark.slow
def test_resuming_crosses_chunks() -> None:
    batches = everything(free(lines=50_000).open({}), 1 << 22)
    cut = next(batch for batch in batches if batch.records["position"][0].as_py() > 30_000)
    rest = lines(everything(free(lines=50_000).open({"generate": cut.resume})))
    assert rest == lines(batches)[cut.resume["sequence"] :]


def test_a_read_holds_to_its_limit() -> None:
    reader = free().open({})
    sizes = [batch.bytes for _ in range(60) for batch in reader.read(50_000)]
    assert len(sizes) > 10
    assert max(sizes) < 75_000


def test_paced_lines_come_at_the_rate_and_carry_the_clocks_time() -> None:
    clock = SettableClock(NOON)
    reader = warmed(GenerateSource(seed=2, rate=200.0, clock=clock).open({}))
    found = []
    for _ in range(600):
        clock.advance(0.1)
        for batch in reader.read(1 << 20):
            found += lines([batch])
            now = datetime.fromtimestamp(clock.now(), UTC)
            last = datetime.strptime(found[-1].split(b"[")[1][:26].decode(), "%d/%b/%Y:%H:%M:%S %z")
            assert -1.0 <= (last - now).total_seconds() <= 0.1
    assert len(found) == pytest.approx(200 * 60, rel=0.15)


def test_nothing_comes_while_the_clock_stands_still() -> None:
    clock = SettableClock(NOON)
    reader = warmed(GenerateSource(seed=2, rate=200.0, clock=clock).open({}))
    clock.advance(1.0)
    assert reader.read(1 << 20) != []
    assert [reader.read(1 << 20) for _ in range(5)] == [[]] * 5


def test_within_the_first_minute_several_attacks_come_and_some_succeed_among_mostly_ordinary_lines() -> None:
    clock = SettableClock(NOON)
    stream = Stream(seed=2, per_second=50.0, paced=True, clock=clock)
    found = []
    while clock.now() < NOON + 60.0:
        if (rows := stream.take(1_000)) is not None:
            found.append(rows)
        elif not stream.warming:
            clock.advance(0.5)
    minute = pl.concat(found)
    attacks = minute.drop_nulls("attack")
    assert minute.height > 2_000
    assert attacks.height < 0.06 * minute.height
    assert attacks["campaign"].n_unique() == 5
    assert attacks.filter(pl.col("outcome") == "worked")["attack"].n_unique() >= 3


def test_a_paced_reader_resumes_with_the_next_line_and_the_time_of_now() -> None:
    clock = SettableClock(NOON)
    source = GenerateSource(seed=2, rate=100.0, clock=clock)
    reader = warmed(source.open({}))
    clock.advance(30.0)
    batch = reader.read(1 << 20)[0]
    clock.advance(86_400.0)
    again = warmed(source.open({"generate": batch.resume}))
    clock.advance(5.0)
    following = again.read(1 << 20)[0]
    assert following.records["position"][0].as_py() == batch.resume["sequence"]
    assert b"[24/Nov/2026:12:00:" in lines([following])[0]


def test_a_reader_that_slept_for_hours_goes_on_from_now() -> None:
    clock = SettableClock(NOON)
    reader = warmed(GenerateSource(seed=2, rate=100.0, clock=clock).open({}))
    clock.advance(1.0)
    reader.read(1 << 20)
    clock.advance(7_200.0)
    late = lines(reader.read(1 << 20))
    assert len(late) < 100
    assert b"[23/Nov/2026:14:00:01" in late[-1]


def test_a_format_can_be_chosen() -> None:
    assert lines(everything(free(lines=3, format=Format.JSON).open({})))[0].startswith(
        b'{"time_iso8601":"2026-11-20T00:00:0'
    )


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(SetupError) as error:
        GenerateSource(seed=-1, sites=("shop", "moon"), rate=0.0, lines=-5, attack_share=0.9).open({})
    assert [problem.where for problem in error.value.problems] == [
        "sites",
        "seed",
        "rate",
        "lines",
        "attack_share",
    ]


def test_options_are_comparable_and_can_be_pickled() -> None:
    assert GenerateSource(seed=4) == GenerateSource(seed=4)
    assert pickle.loads(pickle.dumps(GenerateSource(seed=4))) == GenerateSource(seed=4)  # noqa: S301


def test_a_closed_reader_is_finished_and_gives_nothing() -> None:
    reader = free().open({})
    reader.close()
    reader.close()
    assert reader.finished
    assert reader.read(1 << 20) == []
    assert reader.status()[0].state == "finished"
