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


def test_what_an_entry_is_made_of_is_told_beside_every_other_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "logvision.toml"
    config.write_text(
        '[source]\npaths = 3\n[client]\ntrusted_proxies = ["10.0.0.0/8", "10.0.0.0/99"]\n'
        'presets = ["cloudfare"]\n'
        '[formats]\n"/x/*" = "log_format x \'$bogus\';"\n'
    )
    code, out, errors = command(monkeypatch, capfd, "check", "--config", config)

    presets = "one of akamai, cloudflare, cloudfront, fastly, google, private"
    block = "an address or block, like 10.0.0.0/8 or 2001:db8::/32"
    assert (code, out) == (2, "")
    assert errors.splitlines() == [
        f'logvision: {config}:2 source.paths: got 3; expected a list, such as ["one", "another"]',
        f'logvision: {config}:7 formats."/x/*": got a format without a time;'
        " expected $time_local, $time_iso8601, $msec or %t",
        f'logvision: {config}:7 formats."/x/*": got a format without a request;'
        " expected $request, $request_uri or %r",
        f"logvision: {config}:4 client.trusted_proxies.1: got '10.0.0.0/99'; expected {block}",
        f"logvision: {config}:5 client.presets.0: got 'cloudfare'; expected {presets}",
    ]


def test_a_mistake_in_the_environment_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOGVISION_LAKE__ANONYMISE", "maybe")
    monkeypatch.setenv("LOGVISION_WEB__PORT", "8000")
    code, out, errors = command(monkeypatch, capfd, "watch", "--port", 70000)

    assert (code, out) == (2, "")
    assert errors.splitlines() == [
        "logvision: LOGVISION_LAKE__ANONYMISE lake.anonymise: got 'maybe';"
        " expected input should be 'no', 'truncate' or 'hash'",
        "logvision: web.port: got 70000; expected input should be less than or equal to 65535",
    ]


def test_a_mistake_in_the_syntax_has_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "logvision.toml"
    config.write_text("[web]\nport = 1\n[lake\n")
    code, _, errors = command(monkeypatch, capfd, "check", "--config", config)

    said = "got expected ']' at the end of a table declaration; expected TOML"
    assert (code, errors) == (2, f"logvision: {config}:3: {said}\n")


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
