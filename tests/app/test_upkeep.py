"""Upkeep lets go of what lake and casebook shall keep no longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logvision.app.stores import Stores, open_stores
from logvision.app.upkeep import CASEBOOK_S, Upkeep
from logvision.casebook.base import Question
from logvision.clock import SettableClock
from logvision.config import CasebookSettings, LakeSettings
from logvision.incident import Incident, Status
from logvision.schema import Outcome, Severity, Stage

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
EVERY = Question(frozenset(Status))


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path / "data", writer=True) as opened:
        yield opened


def incident(number: int) -> Incident:
    return Incident(
        id=f"{number:032x}",
        actor=f"ip:192.0.2.{number}",
        actor_kind="ip",
        site=None,
        stage=Stage.PROBE,
        attacks={},
        outcome=Outcome.MISSED,
        severity=Severity.LOW,
        score=0.9,
        first_seen=NOON,
        last_seen=NOON,
        events=1,
        alerts=1,
    )


def test_a_closed_case_goes_once_it_is_older_than_the_casebook_keeps_it(stores: Stores) -> None:
    clock = SettableClock(NOON.timestamp())
    upkeep = Upkeep(stores, LakeSettings(), CasebookSettings(keep_days=30), clock)
    stores.casebook.apply([incident(1), incident(2)])
    stores.casebook.decide(incident(1).id, revision=1, author="ann", at=NOON, status=Status.CLOSED)
    upkeep.round()
    clock.at += timedelta(days=30).total_seconds()
    upkeep.round()
    assert stores.casebook.count(EVERY) == 2
    clock.at += CASEBOOK_S
    upkeep.round()
    assert [case.incident for case in stores.casebook.cases(EVERY).rows] == [incident(2)]


def test_the_casebook_is_looked_through_once_an_hour(stores: Stores) -> None:
    clock = SettableClock(NOON.timestamp())
    upkeep = Upkeep(stores, LakeSettings(), CasebookSettings(keep_days=0.01), clock)
    upkeep.round()
    stores.casebook.apply([incident(1)])
    stores.casebook.decide(incident(1).id, revision=1, author="ann", at=NOON, status=Status.CLOSED)
    clock.at += CASEBOOK_S - 1
    upkeep.round()
    assert stores.casebook.count(EVERY) == 1
    clock.at += 1
    upkeep.round()
    assert stores.casebook.count(EVERY) == 0
