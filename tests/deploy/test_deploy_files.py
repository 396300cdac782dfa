"""What deploy/ starts is real: commands, options, settings, files and addresses are those of this code."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from logvision import cli
from logvision.config import Settings, load
from logvision.web.app import document

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: Mapping[str, Any] = COMPOSE["services"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
IMAGES = frozenset({"logvision", "logvision-spark"})
USER = 10001


def manifests() -> list[dict[str, Any]]:
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for each in manifests():
        if each["kind"] in {"Deployment", "DaemonSet"}:
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def commands() -> dict[str, list[str]]:
    """Where a command line of ours stands, and its words."""
    found: dict[str, list[str]] = {}
    for name, service in SERVICES.items():
        if service["image"] in IMAGES and "entrypoint" not in service:
            found[f"compose.yaml {name}"] = service["command"]
    for unit in UNITS:
        line = re.search(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
        assert line is not None
        found[unit.name] = shlex.split(line[1])[1:]
    for name, pod in pods():
        for container in pod["containers"]:
            found[f"kubernetes {name}"] = container["args"]
    for number, words in enumerate(
        re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    ):
        found[f"Dockerfile {number}"] = yaml.safe_load(words)
    return found


COMMANDS = commands()


@pytest.mark.parametrize("where", COMMANDS)
def test_every_command_line_is_one_that_logvision_takes(where: str) -> None:
    name, *words = COMMANDS[where]
    assert name in cli.COMMANDS
    door = typer.main.get_command(cli.door([name]))
    context = door.make_context("logvision", [name, *words])
    assert isinstance(door, typer.core.TyperGroup)
    _, command, rest = door.resolve_command(context, [name, *words])
    assert command is not None
    if "--help" not in words:
        made = command.make_context(name, list(rest), parent=context)
        assert made.args == []


def environments() -> dict[str, dict[str, str]]:
    found = {
        f"compose.yaml {n}": s["environment"]
        for n, s in SERVICES.items()
        if s["image"] in IMAGES and "environment" in s
    }
    data = [each for each in manifests() if each["kind"] in {"ConfigMap", "Secret"}]
    found["kubernetes"] = {k: v for each in data for k, v in (each.get("data") or each["stringData"]).items()}
    return found


@pytest.mark.parametrize("where", environments())
def test_every_variable_is_a_setting_and_holds_one(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {k: v for k, v in environments()[where].items() if k.startswith("LOGVISION_")}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load(None, {})
    assert settings != Settings()
    assert settings.casebook.url.startswith("mongodb://")
    assert settings.live.url.startswith("redis://")


def test_the_settings_of_the_units_are_settings() -> None:
    settings = load(DEPLOY / "systemd" / "logvision.toml", {})
    assert settings.kafka.brokers == ("127.0.0.1:9092",)


def test_the_services_of_the_compose_file_find_each_other_and_their_files() -> None:
    assert {"kafka", "mongodb", "redis", "stream", "web1", "web2", "proxy", "shipper", "generator"} <= set(
        SERVICES
    )
    named = set(COMPOSE["volumes"])
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in named or (DEPLOY / source).exists(), volume
        if service["image"] in IMAGES:
            assert (DEPLOY / service["build"]["context"] / "Dockerfile").exists()
        else:
            assert re.search(r":\d+\.\d+", service["image"]), f"{name}: an image without its version"
    words = " ".join(str(value) for service in SERVICES.values() for value in service.get("command", ()))
    texts = words + "".join(str(service.get("environment", "")) for service in SERVICES.values())
    hosts = re.findall(
        r"\b([a-z]+\d?):(?:9092|27017|6379|8710)\b", texts + (DEPLOY / "proxy/Caddyfile").read_text()
    )
    assert set(hosts) <= set(SERVICES)
    assert {"kafka", "mongodb", "redis", "web1", "web2"} <= set(hosts)


def test_only_the_proxy_is_reached_from_outside_and_whom_it_names_is_believed() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["proxy"]
    for name in ("web1", "web2"):
        assert SERVICES[name]["environment"]["FORWARDED_ALLOW_IPS"] == "*"
        assert any(volume.endswith(":ro") for volume in SERVICES[name]["volumes"])


def test_the_images_run_as_nobody_and_copy_what_is_there() -> None:
    text = (ROOT / "Dockerfile").read_text()
    final = text.split("\nFROM ")[-1]
    assert f"USER {USER}" in final
    assert text.count(f"USER {USER}") == 2
    assert "HEALTHCHECK" in text
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    targets = {service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert targets <= stages
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists() or source == "deploy/spark/job.py", source
            assert any(f"!{source}".startswith(each) for each in kept if each.startswith("!")), source


def test_pods_are_closed_and_are_probed_where_the_page_answers() -> None:
    paths = set(document().openapi()["paths"])
    for name, pod in pods():
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, USER), name
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
                if probe in container:
                    assert container[probe]["httpGet"]["path"] in paths
    assert "/healthz" in paths


def test_the_manifests_are_all_listed_and_name_what_is_there() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())
    files = {file.name for file in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed["resources"]) == files
    assert {image["name"] for image in listed["images"]} == IMAGES
    kinds = {(each["kind"], each.get("metadata", {}).get("name")) for each in manifests()}
    for _, pod in pods():
        for volume in pod["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in kinds
        for container in pod["containers"]:
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in pod["volumes"]}
            for source in container["envFrom"]:
                for kind, wanted in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                    assert wanted not in source or (kind, source[wanted]["name"]) in kinds


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    assert "NoNewPrivileges=yes" in text
    assert "ProtectSystem=strict" in text
    program = Path(sys.executable).with_name("logvision")
    installed = tmp_path / unit.name
    installed.write_text(text.replace("/opt/logvision/bin/logvision", str(program)))
    assert str(program) in installed.read_text()
    if shutil.which("systemd-analyze") is None:
        return
    done = subprocess.run(
        ["systemd-analyze", "verify", installed], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "proxy/nginx.conf").read_text()
    key, chain = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=logs.example.org"]
    subprocess.run([*words, "-keyout", key, "-out", chain], check=True, capture_output=True)
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/nginx.pid; error_log stderr; events {{ }}\n"
        f"http {{ access_log off; {text.replace('/etc/ssl/logvision', str(tmp_path))} }}\n"
    )
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert "proxy_buffering off" in text
    if nginx is not None:
        done = subprocess.run([nginx, "-t", "-c", whole], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
