"""The driver's half of the Spark engine: it says what the embedded engine says, after any crash too."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from logvision.app import parts
from logvision.app.capture import Capture
from logvision.app.stores import Stores, open_stores
from logvision.app.verifying import Said, gather, verify
from logvision.clock import SettableClock
from logvision.config import Settings
from logvision.engines.spark.fold import Fold, Places
from logvision.engines.spark.judging import Part
from logvision.errors import StoreError
from logvision.incident import Incident
from logvision.pipeline import Knowledge
from spark_captures import START, Feed, executor, generated, judged

pytestmark = pytest.mark.slow

CLOCK = SettableClock(START.timestamp() + 7 * 86_400)


@pytest.fixture(scope="module")
def executors() -> list[Knowledge]:
    return [executor(), executor()]


@pytest.fixture(scope="module")
def capture() -> Capture:
    return generated(6_000)


@contextmanager
def folding(folder: Path, **options: Any) -> Iterator[tuple[Fold, Stores]]:
    """A fold over the stores of a folder, taken up from them."""
    settings = Settings()
    with open_stores(folder, writer=True) as stores:
        places = Places(stores.lake, stores.casebook)
        fold = Fold(places, parts.knowledge(settings), parts.state(settings), clock=CLOCK, **options)
        fold.take_up()
        yield fold, stores


def said_by(stores: Stores) -> Said:
    said = Said()
    gather(stores, said)
    return said


@pytest.mark.parametrize("partitions", [1, 3])
def test_both_engines_say_the_same_of_generated_campaigns(
    partitions: int, capture: Capture, executors: Sequence[Knowledge]
) -> None:
    found = verify(Settings(), capture, Feed(partitions, 1_250, executors), lambda _: None, CLOCK)
    assert [(kind.name, kind.differences) for kind in found.kinds if not kind.same] == []
    counts = {kind.name: kind.spark for kind in found.kinds}
    assert counts["events"] + counts["rejects"] == capture.lines
    assert counts["incidents"] > 10


class Killed(BaseException):
    """The process ends here."""


def die_in(fold: Fold, stores: Stores, chance: random.Random, name: str, given: Sequence[Part]) -> None:
    """Fold a batch and end just before, or just after, a store did its work."""
    place, method = chance.choice([(stores.lake, "commit"), (stores.casebook, "apply")])
    write, before = getattr(place, method), chance.random() < 0.5

    def call(*arguments: Any) -> Any:
        if not before:
            write(*arguments)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, method, call)
        with pytest.raises(Killed):
            fold.batch(name, given)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_around_its_commits_ends_as_one_that_was_not(
    seed: int, capture: Capture, executors: Sequence[Knowledge], tmp_path: Path
) -> None:
    chance = random.Random(seed)
    feed = Feed(2, 800, executors)
    batches = feed.batches(capture)
    with folding(tmp_path / "undisturbed") as (fold, stores):
        feed(capture, fold)
        fold.save()
        expected = said_by(stores)
    kills = dict.fromkeys(chance.sample(range(len(batches)), 4))
    at, found = 0, None
    while found is None:
        with folding(tmp_path / "killed", states_s=chance.choice([0.0, 1e9])) as (fold, stores):
            # Whoever starts again is given the last batch again: Spark knows no better.
            for number in range(max(0, at - 1), len(batches)):
                at = number
                if fold.seen(f"query/{at}"):
                    continue
                given = judged(batches[at], fold, executors)
                if at in kills:
                    del kills[at]
                    die_in(fold, stores, chance, f"query/{at}", given)
                    break
                fold.batch(f"query/{at}", given)
            else:
                fold.save()
                found = said_by(stores)
    assert not kills
    assert (found.events, found.rejects) == (expected.events, expected.rejects)
    assert found.incidents == expected.incidents


def test_lines_that_are_sent_again_count_once(
    capture: Capture, executors: Sequence[Knowledge], tmp_path: Path
) -> None:
    small = Capture({name: rows.slice(0, 300) for name, rows in capture.records.items()})
    feed = Feed(2, 10_000, executors)
    with folding(tmp_path / "once") as (fold, stores):
        feed(small, fold)
        expected = said_by(stores)
    with folding(tmp_path / "again") as (fold, stores):
        (sent,) = feed.batches(small)
        fold.batch("query/0", judged(pa.concat_tables([sent, sent]), fold, executors))
        fold.batch("query/1", judged(sent, fold, executors))
        assert said_by(stores).events == expected.events
        assert stores.lake.catalogue.newest == 0  # a batch without a new line is no segment


def test_a_batch_that_is_committed_is_known_after_a_restart(
    capture: Capture, executors: Sequence[Knowledge], tmp_path: Path
) -> None:
    sent = Feed(2, 1_500, executors).batches(capture)
    with folding(tmp_path) as (fold, _):
        fold.batch("query/0", judged(sent[0], fold, executors))
    with folding(tmp_path) as (fold, _):
        assert fold.seen("query/0")
        assert not fold.seen("query/1")


def test_a_store_that_is_lost_is_waited_for_and_told_of(
    capture: Capture, executors: Sequence[Knowledge], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Feed(2, 1_500, executors).batches(capture)
    told: list[str | None] = []
    with folding(tmp_path) as (fold, stores):
        commit = stores.lake.commit

        def full_once(*given: Any) -> Any:
            told.append(fold.problem)
            if len(told) < 3:
                raise StoreError("no space left")
            return commit(*given)

        monkeypatch.setattr("logvision.engines.spark.fold.RETRY_S", 0.0)
        monkeypatch.setattr(stores.lake, "commit", full_once)
        fold.batch("query/0", judged(sent[0], fold, executors))
        assert told == [None, "no space left", "no space left"]
        assert fold.problem is None
        assert len(said_by(stores).events) == sent[0].num_rows


def test_alerts_are_sent_before_the_casebook_moves_on(
    capture: Capture, executors: Sequence[Knowledge], tmp_path: Path
) -> None:
    sent = Feed(2, 6_000, executors).batches(capture)
    order: list[str] = []

    def tell(incidents: Sequence[Incident]) -> None:
        order.append(f"told {len(incidents) > 0}")

    settings = Settings()
    with open_stores(tmp_path, writer=True) as stores, pytest.MonkeyPatch.context() as patch:
        apply = stores.casebook.apply

        def kept(incidents: Sequence[Incident], states: Mapping[str, bytes] | None, cursor: Any) -> Any:
            order.append("kept")
            return apply(incidents, states, cursor)

        patch.setattr(stores.casebook, "apply", kept)
        places = Places(stores.lake, stores.casebook, tell=tell)
        fold = Fold(places, parts.knowledge(settings), parts.state(settings), clock=CLOCK)
        fold.batch("query/0", judged(sent[0], fold, executors))
    assert order == ["told True", "kept"]


def test_a_batch_that_ended_in_the_middle_is_folded_again_and_not_taken_for_kept(
    capture: Capture, executors: Sequence[Knowledge], tmp_path: Path
) -> None:
    sent = Feed(2, 6_000, executors).batches(capture)

    def lost(_: Sequence[Incident]) -> None:
        raise StoreError("no broker")

    settings = Settings()
    with open_stores(tmp_path, writer=True) as stores:
        places = Places(stores.lake, stores.casebook, tell=lost)
        fold = Fold(places, parts.knowledge(settings), parts.state(settings), clock=CLOCK, patient=False)
        with pytest.raises(StoreError, match="no broker"):
            fold.batch("query/0", judged(sent[0], fold, executors))
        fold.save()
        assert said_by(stores).incidents == []
    with folding(tmp_path) as (fold, stores):
        assert fold.seen("query/0")
        assert len(said_by(stores).incidents) > 10
