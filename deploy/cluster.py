"""The whole distributed mode on this machine, without Docker: `make cluster`.

    python deploy/cluster.py [--rate LINES] [--port PORT] [--folder FOLDER]

Starts a Kafka broker, a MongoDB-compatible server, Redis, the job on Spark, a web process, and a generator
with a shipper; prints the page's address; Ctrl-C stops everything.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from servers import Kafka, MongoDB, Redis, Server, ServerError
from servers.ours import Fleet, Generator, Job, Shipper, Web

TOPIC, ALERTS = "access-logs", "alerts"
PARTITIONS = 4
NEEDED: tuple[type[Server], ...] = (Kafka, MongoDB, Redis, Job)
LOOK_S = 0.5


def main(arguments: list[str]) -> int:
    """Exit status: 0 stopped, 1 something ended by itself, 2 something is lacking."""
    asked = _asked(arguments)
    lacking = {server.name: found for server in NEEDED if (found := server.lacking()) is not None}
    if lacking:
        for name, found in lacking.items():
            print(f"{name}: {found}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell turns off behind an `&`
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        folder = asked.folder or Path(stack.enter_context(TemporaryDirectory(prefix="logvision-cluster-")))
        try:
            _run(asked, folder.absolute(), stack)
        except KeyboardInterrupt:
            _say("stopping")
            # A second Ctrl-C must not leave anything behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return 0
        except ServerError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _run(asked: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
    def started(server: Server) -> Server:
        _say(f"starting {server.name}")
        return stack.enter_context(server)

    kafka, mongodb, redis = Kafka(folder / "kafka"), MongoDB(folder / "mongodb"), Redis(folder / "redis")
    for server in (kafka, mongodb, redis):
        started(server)
    make_topics(kafka.address)
    fleet = Fleet(
        brokers=kafka.address,
        topic=TOPIC,
        lake=folder / "lake",
        casebook=f"{mongodb.url}logvision",
        live=redis.url,
        alerts=ALERTS,
    )
    log = folder / "access.log"
    log.touch()
    job, web = Job(folder / "job", fleet), Web(folder / "web", fleet, asked.port)
    parts = [
        job,
        web,
        Generator(folder / "generator", log, asked.rate),
        Shipper(folder / "shipper", fleet, log),
    ]
    for server in parts:
        started(server)
    _say(f"LogVision shows it live at http://{web.address}/   (Ctrl-C ends all of it)")
    _say(f"Kafka {kafka.address} (alerts: topic {ALERTS}), MongoDB {mongodb.url}, Redis {redis.url}")
    _say(f"metrics of the job: http://{job.address}/metrics; logs and data: {folder}")
    while True:
        for server in (kafka, mongodb, redis, *parts):
            if not server.running:
                raise ServerError(f"{server.name} has ended: {server.logged()}")
        time.sleep(LOOK_S)


def make_topics(brokers: str) -> None:
    """The topics of lines and of alerts."""
    from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415 - `lacking` speaks first

    admin = AdminClient({"bootstrap.servers": brokers})
    for made in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1), NewTopic(ALERTS, 1, 1)]).values():
        made.result(30)


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The whole distributed mode on this machine.")
    parser.add_argument("--rate", type=float, default=200.0, help="lines a second of generated traffic")
    parser.add_argument("--port", type=int, default=8710, help="port of the page")
    parser.add_argument("--folder", type=Path, help="keep data and logs there (default: a temporary folder)")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
