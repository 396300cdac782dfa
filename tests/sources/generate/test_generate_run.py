"""Runs: from options to bytes, with labels that agree with them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from logvision.clock import SettableClock
from logvision.errors import SetupError
from logvision.sources.generate import FileWriter, Generated, GenerateOptions, StreamWriter, generate

pytestmark = pytest.mark.slow

OPTIONS = GenerateOptions(seed=8, lines=20_000, hours=6.0, start=datetime(2026, 11, 20, tzinfo=UTC))


Usual = tuple[Generated, bytes, list[dict[str, object]]]


def run(options: GenerateOptions) -> Usual:
    out, told = io.BytesIO(), io.BytesIO()
    given = generate(options, StreamWriter(out), SettableClock(1_795_435_200.0), label_file=told)
    return given, out.getvalue(), [json.loads(line) for line in told.getvalue().splitlines()]


@pytest.fixture(scope="module")
def usual() -> Usual:
    return run(OPTIONS)


def test_the_same_options_give_the_same_bytes(usual: Usual) -> None:
    assert run(OPTIONS)[1:] == usual[1:]


def test_other_seeds_give_other_bytes(usual: Usual) -> None:
    assert usual[1] != run(replace(OPTIONS, seed=9))[1]


def test_there_are_as_many_lines_as_asked_for(usual: Usual) -> None:
    given, data, told = usual
    assert (given.lines, data.count(b"\n"), len(told)) == (20_000, 20_000, 20_000)
    assert given.bytes == len(data)


def test_labels_point_at_their_lines(usual: Usual) -> None:
    given, data, told = usual
    starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(data, np.uint8) == 10)[:-1] + 1])
    assert [label["position"] for label in told] == starts.tolist()
    assert [label["line"] for label in told] == list(range(1, 20_001))
    attacks = [label for label in told if label["label"] == "attack"]
    assert len(attacks) == given.attacks
    assert {label["campaign"] for label in told if "campaign" in label} == {*(a["campaign"] for a in attacks)}
    for label in attacks:
        line = data[label["position"] :].split(b"\n", 1)[0].decode()  # type: ignore[misc]
        if "/" not in str(label["actor"]) and label["actor"] != "many":
            assert line.startswith(f"{label['actor']} ")
        if label["class"] == "sqli":
            assert "%27" in line


def time_of(line: bytes) -> datetime:
    return datetime.strptime(line.split(b"[")[1][:20].decode(), "%d/%b/%Y:%H:%M:%S").replace(tzinfo=UTC)


def test_a_run_covers_the_hours_asked_for() -> None:
    _, data, _ = run(replace(OPTIONS, hours=48.0, attacks=False))
    first, *_, last = data.splitlines()
    assert (time_of(last) - time_of(first)).total_seconds() / 3600 == pytest.approx(48, rel=0.15)


@pytest.mark.parametrize(("lines", "hours"), [(1, 24.0), (300, 0.5), (120_000, 7.0)])
def test_without_a_start_a_run_fills_the_hours_before_now_and_ends_with_it(lines: int, hours: float) -> None:
    now = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)  # the quietest of the day
    out = io.BytesIO()
    generate(
        GenerateOptions(seed=8, lines=lines, hours=hours), StreamWriter(out), SettableClock(now.timestamp())
    )
    times = [time_of(line) for line in out.getvalue().splitlines()]
    assert len(times) == lines
    assert times == sorted(times)
    assert times[-1] == now
    assert times[0] >= now - timedelta(hours=hours)
    if lines > 1:
        assert times[0] < now - timedelta(hours=0.9 * hours)


def test_a_paced_run_waits_for_its_clock() -> None:
    clock, out = SettableClock(1_795_435_200.0), io.BytesIO()
    generate(GenerateOptions(seed=8, rate=100.0, lines=1_000), StreamWriter(out), clock, pause=clock.advance)
    assert clock.now() - 1_795_435_200.0 == pytest.approx(10.0, rel=0.3)
    assert out.getvalue().count(b"\n") == 1_000


def test_a_run_stops_when_told_to() -> None:
    clock, out = SettableClock(1_795_435_200.0), io.BytesIO()
    given = generate(
        GenerateOptions(seed=8, rate=100.0),
        StreamWriter(out),
        clock,
        pause=clock.advance,
        going=lambda: clock.now() < 1_795_435_220.0,
    )
    assert given.lines == pytest.approx(2_000, rel=0.3)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_run() -> None:
    class Largest:
        lines = 0

        def write(
            self, data: memoryview, offsets: npt.NDArray[np.int64], times: npt.NDArray[np.int64]
        ) -> None:
            self.lines = max(self.lines, times.size)

        def close(self) -> None:
            pass

    largest = Largest()
    generate(replace(OPTIONS, lines=150_000, hours=24.0), largest, SettableClock(0.0))
    assert 10_000 < largest.lines <= 50_000


def test_rotation_loses_nothing(tmp_path: Path, usual: Usual) -> None:
    whole = usual[1]
    out = FileWriter(tmp_path / "access.log", rotate_lines=6_000)
    generate(OPTIONS, out, SettableClock(1_795_435_200.0))
    out.close()
    names = ["access.log.3", "access.log.2", "access.log.1", "access.log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert b"".join((tmp_path / name).read_bytes() for name in names) == whole
    assert [(tmp_path / name).read_bytes().count(b"\n") for name in names] == [6_000, 6_000, 6_000, 2_000]


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(SetupError) as error:
        run(GenerateOptions(sites=(), lines=-1, hours=0.0))
    assert [problem.where for problem in error.value.problems] == ["sites", "lines", "hours"]
