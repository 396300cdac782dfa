from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_logs import mixed

Command = Callable[..., tuple[int, str, str]]


def test_a_scan_writes_a_report_and_leaves_nothing_else_behind(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = mixed(tmp_path / "access.log")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    code, out, _ = command("scan", log, "--report", "out.html", "--json")
    assert code == 0
    assert out.startswith('{"read":62,"events":61,"rejects":1,')
    assert sorted(p.name for p in tmp_path.iterdir()) == ["access.log", "out.html", "tmp"]
    assert list(temporary.iterdir()) == []
    text = Path("out.html").read_text("utf-8")
    assert "62 lines read: 61 events, 1 rejected, 0 filtered" in text
    assert "198.51.100.66 tried " in text


def test_the_report_of_a_data_folder_says_what_that_of_its_scan_says(
    command: Command, tmp_path: Path
) -> None:
    log = mixed(tmp_path / "access.log")
    command("scan", log, "--data", "data", "--report", "scan.html")
    assert command("report", "--data", "data", "--out", "folder.html")[0] == 0

    def but_the_time(name: str) -> list[str]:
        return [part for part in Path(name).read_text("utf-8").split("<p") if "by LogVision" not in part]

    assert but_the_time("scan.html") == but_the_time("folder.html")


def test_a_report_can_be_limited_and_speak_chinese(command: Command, tmp_path: Path) -> None:
    command("scan", mixed(tmp_path / "access.log"), "--data", "data")
    code, _, _ = command(
        "report",
        "-d",
        "data",
        "-o",
        "out.html",
        "--lang",
        "zh",
        "--from",
        "2024-05-14T12:00:30Z",
        "-q",
        "status:404",
    )
    text = Path("out.html").read_text("utf-8")
    assert code == 0
    assert '<html lang="zh-CN">' in text
    assert "限定范围：2024-05-14T12:00:30Z 起, 筛选 status:404" in text
    assert "<dt>请求数</dt><dd>3</dd>" in text


def test_a_report_of_one_client_has_its_incidents_alone(command: Command, tmp_path: Path) -> None:
    command("scan", mixed(tmp_path / "access.log"), "--data", "data")
    for client, told in (("198.51.100.66", True), ("198.51.100.67", False)):
        assert command("report", "-d", "data", "-o", "out.html", "-q", f"client:{client}")[0] == 0
        assert ("198.51.100.66 tried " in Path("out.html").read_text("utf-8")) is told


def test_a_report_of_no_data_folder_is_a_mistake(command: Command, tmp_path: Path) -> None:
    code, _, err = command("report", "--data", "nowhere")
    assert code == 2
    assert f"{tmp_path / 'nowhere'}: got no lake there" in err
    assert list(tmp_path.glob("*.html")) == []


def test_a_report_that_cannot_be_written_is_one_sentence(command: Command, tmp_path: Path) -> None:
    command("scan", mixed(tmp_path / "access.log"), "--data", "data")
    code, _, err = command("report", "-d", "data", "-o", "missing/out.html")
    assert code == 2
    assert err == (
        "logvision: missing/out.html: got No such file or directory; expected a file that can be written\n"
    )
