"""Other programs ship into a real broker by the configurations that come with LogVision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from shippers import topic_source, write
from whole_runs import Watched, event_rows, until

from cluster_servers import make_topic
from servers import Flume, Kafka, Nginx, Rsyslog
from servers.process import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"

pytestmark = pytest.mark.slow

on_servers = pytest.mark.cluster


def configured(name: str, **changes: str) -> str:
    """A configuration that comes with LogVision, with some of its values replaced; each must stand in it."""
    text = (DEPLOY / name).read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def flume(tmp_path: Path) -> Iterator[Flume]:
    made = Flume(tmp_path / "flume")
    yield made
    made.stop()


@pytest.fixture
def rsyslog(tmp_path: Path) -> Iterator[Rsyslog]:
    made = Rsyslog(tmp_path / "rsyslog")
    yield made
    made.stop()


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    made = Nginx(tmp_path / "nginx")
    yield made
    made.stop()


def numbers(data: Path) -> Counter[int]:
    """How often each line stands in the lake."""
    return Counter(row["bytes"] for row in event_rows(data)) if (data / "events").is_dir() else Counter()


@on_servers
@pytest.mark.timeout(240)
def test_flume_follows_a_log_over_rotation_and_its_own_restart(
    kafka: Kafka, flume: Flume, tmp_path: Path
) -> None:
    make_topic(kafka, "flume", 3)
    logs, data = tmp_path / "logs", tmp_path / "data"
    logs.mkdir()
    log = logs / "site-access.log"
    flume.properties = configured(
        "flume/flume.properties",
        **{
            "127.0.0.1:9092": kafka.address,
            "= access-logs": "= flume",
            "/var/log/nginx": str(logs),
            "/var/lib/flume": str(tmp_path / "state"),
        },
    )
    (tmp_path / "state").mkdir()
    write(log, range(300))
    flume.start()
    with Watched(Path(), data, source=topic_source(kafka, "flume")) as run:
        run.until(lambda: numbers(data).total() >= 300, f"the first lines: {flume.logged()}")
        log.rename(logs / "site-access.log.1")
        write(log, range(300, 600))
        run.until(lambda: numbers(data).total() >= 600, f"lines after rotation: {flume.logged()}")
        flume.stop()
        write(log, range(600, 900))
        flume.start()
        run.until(lambda: numbers(data).total() >= 900, f"lines after a restart: {flume.logged()}")
    assert numbers(data) == Counter(range(900))
    assert len({row["source"] for row in event_rows(data)}) == 1  # one log, one partition
    by_position = [row["bytes"] for row in event_rows(data)]
    assert by_position == sorted(by_position)


def rsyslog_configuration(kafka: Kafka, topic: str, log: Path, port: int) -> str:
    return configured(
        "rsyslog/logvision.conf",
        **{
            "127.0.0.1:9092": kafka.address,
            'topic="access-logs"': f'topic="{topic}"',
            "/var/log/nginx/access.log": str(log),
            'port="5140"': f'port="{port}"',
        },
    )


@on_servers
@pytest.mark.timeout(240)
def test_rsyslog_follows_a_log_and_waits_for_a_broker_that_is_away(
    kafka: Kafka, rsyslog: Rsyslog, tmp_path: Path
) -> None:
    make_topic(kafka, "rsyslog", 4)
    log, data = tmp_path / "access.log", tmp_path / "data"
    rsyslog.configuration = rsyslog_configuration(kafka, "rsyslog", log, free_port())
    write(log, range(300))
    rsyslog.start()
    with Watched(Path(), data, source=topic_source(kafka, "rsyslog")) as run:
        run.until(lambda: numbers(data).total() >= 300, f"the first lines: {rsyslog.logged()}")
        kafka.kill()
        write(log, range(300, 600))
        kafka.start()
        write(log, range(600, 900))
        run.until(lambda: len(numbers(data)) >= 900, f"all lines: {rsyslog.logged()}")
    assert set(numbers(data)) == set(range(900))
    assert len({row["source"] for row in event_rows(data)}) == 1  # one log, one partition


@on_servers
@pytest.mark.timeout(240)
def test_nginx_sends_its_requests_through_rsyslog(
    kafka: Kafka, rsyslog: Rsyslog, nginx: Nginx, tmp_path: Path
) -> None:
    make_topic(kafka, "nginx", 1)
    data, port = tmp_path / "data", free_port()
    rsyslog.configuration = rsyslog_configuration(kafka, "nginx", tmp_path / "none.log", port)
    rsyslog.start()
    nginx.http = configured("rsyslog/nginx.conf", **{"127.0.0.1:5140": f"127.0.0.1:{port}"})
    nginx.start()
    with Watched(Path(), data, source=topic_source(kafka, "nginx")) as run:
        targets = [f"/page/{number}?q=it%27s" for number in range(50)]
        hostile = {"User-Agent": b'quote" and \\ and \xc3\xa9'}
        with httpx.Client(base_url=f"http://{nginx.address}", trust_env=False) as client:
            for target in targets:
                assert client.get(target, headers=hostile).status_code == 200
        until(lambda: (data / "events").is_dir() and len(event_rows(data)) >= 50, rsyslog.logged())
        run.end()
    rows = event_rows(data)
    assert [row["target"] for row in rows] == targets
    assert {row["status"] for row in rows} == {200}
    assert {row["client_ip"] for row in rows} == {"127.0.0.1"}
    assert {row["user_agent"] for row in rows} == {"quote\\x22 and \\x5C and \\xC3\\xA9"}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested settings by dotted path; of lists of settings, the first."""
    if isinstance(value, dict):
        parts = (flat(inner, f"{path}.{key}" if path else key) for key, inner in value.items())
        return {name: found for part in parts for name, found in part.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return flat(value[0], path)
    return {path: value}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "vector/vector.yaml",
            {
                "sinks.kafka.type": "kafka",
                "sinks.kafka.inputs": ["access"],
                "sinks.kafka.encoding.codec": "text",
                "sinks.kafka.acknowledgements.enabled": True,
                "sinks.kafka.key_field": "file",
            },
        ),
        (
            "fluent-bit/fluent-bit.yaml",
            {
                "pipeline.inputs.name": "tail",
                "pipeline.inputs.storage.type": "filesystem",
                "pipeline.outputs.format": "raw",
                "pipeline.outputs.raw_log_key": "log",
                "pipeline.outputs.message_key_field": "path",
                "pipeline.outputs.rdkafka.request.required.acks": -1,
            },
        ),
        (
            "filebeat/filebeat.yml",
            {
                "filebeat.inputs.type": "filestream",
                "output.kafka.codec.format.string": "%{[message]}",
                "output.kafka.required_acks": -1,
            },
        ),
    ],
)
def test_configurations_of_programs_that_are_not_here_say_what_they_should(
    file: str, expected: dict[str, Any]
) -> None:
    found = flat(yaml.safe_load((DEPLOY / file).read_text()))
    assert {name: found.get(name) for name in expected} == expected
    text = (DEPLOY / file).read_text()
    assert "127.0.0.1:9092" in text
    assert "access-logs" in text
