"""Bad settings: every mistake in a line of its own with its place, exit code 2, and nothing started."""

from __future__ import annotations

from pathlib import Path

import pytest
from whole_runs import command

from logvision.config import load


def test_every_mistake_of_a_file_is_told_at_once_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "logvision.toml"
    config.write_text('[web]\nprot = 80\n\n[lake]\nkeep_days = -1\nanonymise = "maybe"\n')
    code, out, errors = command(monkeypatch, capfd, "watch", "--config", config)

    assert (code, out) == (2, "")
    known = "one of allowed_hosts, host, metrics_token, password_hash, port; did you mean 'port'?"
    assert sorted(errors.splitlines()) == [
        f"logvision: {config}:2 web.prot: got unknown key 'prot'; expected {known}",
        f"logvision: {config}:5 lake.keep_days: got -1; expected input should be greater than 0",
        f"logvision: {config}:6 lake.anonymise: got 'maybe';"
        " expected input should be 'no', 'truncate' or 'hash'",
    ]


@pytest.mark.parametrize("text", ["[web", "\0", "web = 1\n"])
def test_a_file_that_is_no_configuration_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    config = tmp_path / "logvision.toml"
    config.write_text(text)
    code, _, errors = command(monkeypatch, capfd, "watch", "--config", config)

    assert code == 2
    assert errors.startswith(f"logvision: {config}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("make", [lambda path: path, lambda path: path.mkdir() or path])
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], make: object
) -> None:
    config = make(tmp_path / "logvision.toml")  # type: ignore[operator]
    code, _, errors = command(monkeypatch, capfd, "watch", "--config", config)

    assert code == 2
    assert errors.startswith(f"logvision: {config}: got ")
    assert errors.endswith("; expected a readable TOML file\n")


def test_bytes_that_are_no_text_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "logvision.toml"
    config.write_bytes(b"[web]\nhost = '\xff'\n")
    code, _, errors = command(monkeypatch, capfd, "watch", "--config", config)

    assert code == 2
    assert errors.startswith(f"logvision: {config}: got ")
    assert errors.count("\n") == 1


def test_the_environment_gives_single_values_and_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGVISION_WEB__PORT", "9000")
    monkeypatch.setenv("LOGVISION_SOURCE__PATHS", "/var/log/a.log, /var/log/b.log")
    monkeypatch.setenv("LOGVISION_DETECT__RULES", "/etc/rules")
    settings = load(None, {"web": {"port": None}})

    assert settings.web.port == 9000
    assert settings.source.paths == ("/var/log/a.log", "/var/log/b.log")
    assert settings.detect.rules == (Path("/etc/rules"),)
    assert load(None, {"web": {"port": 1}}).web.port == 1
