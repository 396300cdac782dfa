"""The position file of `ship`, and what `ship` refuses before it reads anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from whole_runs import command

from logvision.app.shipping import Positions, held
from logvision.clock import SystemClock
from logvision.errors import SetupError

CLOCK = SystemClock()


def test_positions_are_the_same_after_a_restart(tmp_path: Path) -> None:
    made = Positions.load(tmp_path / "state", "lines", CLOCK)
    made.resume["/a.log"] = {"base": 1, "file": {"offset": 3}, "older": None}
    made.partitions["/a.log"] = 4
    made.save()
    assert Positions.load(tmp_path / "state", "lines", CLOCK) == made


def test_a_position_file_belongs_to_one_topic(tmp_path: Path) -> None:
    Positions.load(tmp_path / "state", "lines", CLOCK).save()
    with pytest.raises(SetupError, match="positions of topic lines"):
        Positions.load(tmp_path / "state", "others", CLOCK)


@pytest.mark.parametrize("text", [b"", b"[]", b'{"topic": "lines"}', b"\xff"])
def test_a_file_that_holds_no_positions_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "state").write_bytes(text)
    with pytest.raises(SetupError, match="positions that `ship` wrote"):
        Positions.load(tmp_path / "state", "lines", CLOCK)


def test_two_shippers_do_not_share_a_position_file(tmp_path: Path) -> None:
    with held(tmp_path / "state"), pytest.raises(SetupError, match="in use"), held(tmp_path / "state"):
        pass
    with held(tmp_path / "state"):
        pass


def test_every_mistake_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, errors = command(monkeypatch, capfd, "ship")
    assert code == 2
    assert "at least one path" in errors
    assert "--kafka HOST:PORT" in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("no.such.property=1", "no.such.property"),
        ("acks=0", "nothing: LogVision sets this one itself"),
        ("nothing", "NAME=VALUE"),
    ],
)
def test_properties_that_cannot_work_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    setting: str,
    told: str,
) -> None:
    log = tmp_path / "a.log"
    log.touch()
    where = ("--kafka", "127.0.0.1:1", "--state", tmp_path / "state", "--kafka-set", setting)
    code, _, errors = command(monkeypatch, capfd, "ship", log, "--once", *where)
    assert code == 2
    assert told in errors


def test_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.touch()
    where = ("--kafka", "127.0.0.1:1", "--state", tmp_path / "state")
    settings = ("--kafka-set", "sasl.password=hush", "--kafka-set", "acks=1")
    code, out, errors = command(monkeypatch, capfd, "ship", log, *where, *settings)
    assert code == 2
    assert "hush" not in out + errors
