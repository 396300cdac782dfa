"""A backtest says what a change would bring and take away, whom it would hit, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from whole_runs import RULE, until

from event_tables import NOON, event
from lake_folders import commit, files
from logvision.app.backtesting import Report, Setup, backtest
from logvision.app.rehearsing import Asked, Change, Rehearsing, changed
from logvision.app.stores import Stores
from logvision.casebook.base import BACKTEST
from logvision.casebook.sqlite import SqliteCasebook
from logvision.clock import SettableClock
from logvision.detect import Detector
from logvision.detect.behaviour import Behaviour
from logvision.detect.profiles import Profiles
from logvision.detect.site import Site
from logvision.errors import SetupError
from logvision.exemption import Exemption
from logvision.lake.queries import Database, Question, question
from logvision.lake.segments import Lake
from logvision.web.backtests import BacktestReport

SECRET = RULE.replace("Environment file", "A secret").replace(r"/\.env$", "/own-secret$")
NOTHING = Site(Profiles())


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """An attacker with an incident, a visitor who asks for a page of that name, and others."""
    rows = [
        event(position=n + 1, time=NOON + timedelta(seconds=n), target=target, client_ip=client)
        for n, (target, client) in enumerate(
            [
                *((f"/{n}/.env", "192.0.2.66") for n in range(12)),
                ("/a/own-secret", "192.0.2.66"),
                ("/b/own-secret?x=1", "198.51.100.1"),
                ("/b/own-secret?x=1", "203.0.113.1"),
                *((f"/page/{n}", f"203.0.113.{n}") for n in range(2, 30)),
            ]
        )
    ]
    with Lake.open(tmp_path / "data", writer=True) as lake:
        commit(lake, rows[:20])
        commit(lake, rows[20:])
        casebook = SqliteCasebook(tmp_path / "data" / "casebook.sqlite")
        yield Stores(lake, casebook)
        casebook.close()


@pytest.fixture
def database(stores: Stores) -> Iterator[Database]:
    made = Database(stores.lake)
    yield made
    made.close()


def setup(detector: Detector, site: Site = NOTHING) -> Setup:
    return Setup(detector, lambda: Behaviour.open(()), site)


@pytest.fixture
def one(one_rule: Path) -> Detector:
    return Detector.open(model=None, cached=False)


@pytest.fixture
def two(one_rule: Path, tmp_path: Path) -> Detector:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "own.yml").write_text(SECRET)
    return Detector.open([tmp_path / "own"], model=None, cached=False)


def run(database: Database, before: Setup, after: Setup, **given: Any) -> Report:
    return backtest(database, given.pop("question", Question()), before, after, **given)


def test_no_change_changes_nothing(database: Database, one: Detector) -> None:
    found = run(database, setup(one), setup(one))
    assert (found.events, found.whole, found.attacks_before, found.attacks_after) == (43, True, 12, 12)
    assert (found.first, found.last) == (NOON, NOON + timedelta(seconds=42))
    assert (found.incidents_before, found.incidents_after, found.reclassified) == (1, 1, 0)
    assert found.appearing == found.disappearing
    assert found.appearing.events == 0


def test_a_new_rule_brings_its_events_and_says_whom_it_hits(
    database: Database, one: Detector, two: Detector
) -> None:
    found = run(database, setup(one), setup(two))
    new = found.appearing
    assert (new.events, new.requests, new.clients, new.ordinary_clients, new.networks) == (3, 2, 3, 2, 3)
    assert (new.rules, new.classes) == ({"own": 3}, {"sensitive": 3})
    assert new.routes == {"/b/own-secret": 2, "/a/own-secret": 1}
    assert [sample["target"] for sample in new.samples] == ["/b/own-secret?x=1", "/a/own-secret"]
    assert found.disappearing.events == 0
    back = run(database, setup(two), setup(one))
    assert (back.disappearing, back.appearing) == (found.appearing, found.disappearing)


def test_the_cut_into_batches_changes_nothing(database: Database, one: Detector, two: Detector) -> None:
    assert run(database, setup(one), setup(two), at_once=7) == run(database, setup(one), setup(two))


def test_an_exception_takes_events_and_their_incident_away(database: Database, one: Detector) -> None:
    exempt = Exemption.made(author="ann", reason="ours", created=NOON, parameter="{path}")
    found = run(database, setup(one), setup(one, Site(Profiles(), (exempt,))))
    assert (found.disappearing.events, found.attacks_after) == (12, 0)
    assert [incident.actor for incident in found.disappearing.incidents] == ["ip:192.0.2.66"]
    assert found.sentence() == (
        "of 43 events 0 would become attacks (0 clients and 0 routes that had none) and 12 would be none any"
        " more; incidents: 0 more, 1 fewer"
    )


def test_a_threshold_above_every_score_takes_everything(database: Database, one: Detector) -> None:
    found = run(database, setup(one), setup(replace(one, threshold=0.999)))
    assert (found.disappearing.events, found.disappearing.rules) == (12, {"dotenv": 12})


def test_only_the_newest_and_only_what_was_asked_for_are_judged(database: Database, one: Detector) -> None:
    newest = run(database, setup(one), setup(one), most=10)
    assert (newest.events, newest.whole) == (10, False)
    asked = question(None, None, None, "path:/b*", now=NOON)
    assert run(database, setup(one), setup(one), question=asked).events == 2


def test_nothing_kept_is_nothing_judged(tmp_path: Path, one: Detector) -> None:
    with Lake.open(tmp_path / "empty", writer=True) as lake:
        database = Database(lake)
        found = run(database, setup(one), setup(one))
        database.close()
    assert (found.events, found.first, found.incidents_before) == (0, None, 0)


def rehearsing(stores: Stores, said: list[str]) -> Rehearsing:
    clock = SettableClock(NOON.timestamp())
    return Rehearsing(stores, lambda: Behaviour.open(()), clock, said.append)


def test_a_rehearsal_keeps_its_report_and_nothing_else(stores: Stores, one: Detector, two: Detector) -> None:
    said: list[str] = []
    before = files(stores.lake.folder)
    rehearsing(stores, said).run(Change("rules changed", one, lambda: two))
    kept = stores.casebook.load_state(BACKTEST)
    assert kept is not None
    report = BacktestReport.model_validate_json(kept)
    assert (report.made, report.why, report.events, report.appearing.events) == (NOON, "rules changed", 43, 3)
    assert said == [
        "backtest, rules changed: of 43 events 3 would become attacks (2 clients and 2 routes that had none)"
        " and 0 would be none any more; incidents: 0 more, 0 fewer"
    ]
    assert files(stores.lake.folder) == before


def test_a_rule_can_be_tried_before_there_is_a_file_of_it(stores: Stores, one: Detector) -> None:
    said: list[str] = []
    rehearsing(stores, said).run(changed(Asked(rule=("own", SECRET)), one, ()))
    assert said[0].startswith("backtest, rule own: of 43 events 3 would become attacks")
    with pytest.raises(SetupError, match=r"own\.yml:7: got confidence"):
        rehearsing(stores, said).run(changed(Asked(rule=("own", SECRET.replace("0.95", "high"))), one, ()))


def test_what_waits_is_replaced_and_a_bad_rule_is_a_problem_that_the_next_run_ends(
    stores: Stores, one: Detector
) -> None:
    said: list[str] = []
    runs = rehearsing(stores, said)
    runs.rehearse(changed(Asked(threshold=0.9), one, ()))
    runs.rehearse(changed(Asked(rule=("own", "no rule")), one, ()))
    with runs.running():
        until(lambda: not runs.busy, "the backtest")
        assert runs.problem is not None
        assert "own.yml:1" in runs.problem
        runs.rehearse(changed(Asked(threshold=0.999), one, ()))
        until(lambda: not runs.busy, "the backtest")
        assert runs.problem is None
    assert [sentence.partition(":")[0] for sentence in said] == ["backtest, threshold 0.999"]
