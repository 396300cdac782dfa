"""Rules are read again while running; bad ones are refused with their place, and the others stay."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from whole_runs import RULE, Watched, event_rows, line, until

from logvision.app.reloading import Reloading
from logvision.app.watching import on_signals
from logvision.detect import Detector
from logvision.errors import SetupError

OWN = RULE.replace("Environment file", "Own").replace(r"/\.env$", "/own-secret$")
BAD = OWN.replace("confidence: 0.95", "confidence: high")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.mark.slow
def test_a_rule_that_comes_judges_the_next_lines_and_a_bad_one_changes_nothing(
    tmp_path: Path, one_rule: Path, own: Path
) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(line(0, "/own-secret"))
    with Watched(log, data, detect={"rules": [own]}) as run:

        def verdict(number: int) -> str | None:
            with log.open("ab") as file:
                file.write(line(number, "/own-secret"))
            run.until(lambda: [r for r in event_rows(data) if r["bytes"] == number], "the line")
            return next(r["rules"] for r in event_rows(data) if r["bytes"] == number)

        assert verdict(1) is None
        (own / "own.yml").write_text(OWN)
        run.until(lambda: run.said, "the rules to be read")
        assert run.said[0] == "rules read again: 2 rules, in use"
        assert verdict(2) == "own"
        run.until(lambda: len(run.said) == 2, "the backtest of the change")
        assert "would become attacks (1 clients and 1 routes that had none)" in run.said.pop()

        (own / "own.yml").write_text(BAD)
        run.until(lambda: len(run.said) == 2, "the rules to be refused")
        where = f"{own / 'own.yml'}:7"
        assert run.said[1].startswith(
            f"rules refused, the former ones stay: {where}: got confidence: 'high'; expected "
        )
        ok, sentence = run.check("rules")
        assert not ok
        assert sentence.startswith(f"{where}: got confidence: 'high'")
        assert verdict(3) == "own"

        (own / "own.yml").unlink()
        run.until(lambda: len(run.said) == 3, "the rules to be read")
        assert run.check("rules")[0]
        assert verdict(4) is None


class Known:
    """The one part of `Knowledge` that matters here."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector


def test_asked_for_it_reads_also_what_has_not_changed(one_rule: Path, own: Path) -> None:
    known, said = Known(Detector.open([own], model=None)), []
    reloading = Reloading(known, [own], said.append)  # type: ignore[arg-type]
    before = known.detector
    reloading.look()
    assert said == []
    reloading.ask()
    reloading.look()
    reloading.look()
    assert said == ["rules read again: 1 rules, unchanged"]
    assert known.detector is before


def test_a_rule_that_needs_what_no_log_says_is_told_when_it_comes(one_rule: Path, own: Path) -> None:
    known, said = Known(Detector.open([own], model=None)), []
    reloading = Reloading(known, [own], said.append)  # type: ignore[arg-type]
    cookie = "title: c\nlogsource: {category: webserver}\ndetection:\n  s: {cs-cookie: x}\n  condition: s\n"
    (own / "cookie.yml").write_text(cookie)
    reloading.look()
    assert said == [
        "rules read again: 1 rules, in use",
        "rule left out: cookie needs the field cs-cookie",
    ]


def test_a_folder_that_goes_away_is_refused_and_taken_up_when_it_is_back(one_rule: Path, own: Path) -> None:
    (own / "own.yml").write_text(OWN)
    known, said = Known(Detector.open([own], model=None)), []
    reloading = Reloading(known, [own], said.append)  # type: ignore[arg-type]
    before = known.detector
    own.rename(own.with_name("away"))
    reloading.look()
    assert said == [
        f"rules refused, the former ones stay: {own}: got nothing there;"
        " expected a rule file or a folder of them"
    ]
    assert known.detector is before
    own.with_name("away").rename(own)
    reloading.look()
    assert (said[1:], reloading.problem) == (["rules read again: 2 rules, unchanged"], None)


def test_a_rule_file_that_cannot_be_read_is_a_mistake_with_its_name(one_rule: Path, own: Path) -> None:
    (own / "loop.yml").symlink_to(own / "loop.yml")
    with pytest.raises(SetupError, match=r"loop\.yml:1: got too many levels of symbolic links"):
        Detector.open([own], model=None)


def test_signals_call_what_they_should_and_the_former_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGHUP)
    calls: list[str] = []
    with on_signals(lambda: calls.append("asked"), signal.SIGHUP):
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: calls == ["asked"])
    assert signal.getsignal(signal.SIGHUP) is before


def test_a_promoted_model_is_taken_up_a_broken_one_refused_and_without_one_the_shipped_comes_back(
    one_rule: Path, tmp_path: Path
) -> None:
    known, said, path = Known(Detector.open(cached=False)), [], tmp_path / "promoted.npz"
    shipped = known.detector.model
    assert shipped is not None
    swaps: list[tuple[Detector, Detector]] = []
    reloading = Reloading(
        known,  # type: ignore[arg-type]
        [],
        said.append,
        lambda old, new: swaps.append((old, new)),
        path,
    )
    before = known.detector

    def name() -> object:
        assert known.detector.model is not None
        return known.detector.model.card["name"]

    replace(shipped, card={**shipped.card, "name": "corrected"}).save(path)
    reloading.look()
    assert name() == "corrected"
    assert swaps == [(before, known.detector)]
    path.write_bytes(b"no model")
    reloading.look()
    assert (name(), reloading.problem is None) == ("corrected", False)
    path.unlink()
    reloading.look()
    assert (name(), reloading.problem) == (shipped.card["name"], None)
