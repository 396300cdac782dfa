"""The job on Spark killed at random moments: every line once, incidents as of an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from fleets import PARTITIONS, RECENT, Watched, fleet_of, named, pieces, send

from logvision.app.capture import Capture
from servers import Kafka, MongoDB, Redis
from servers.ours import Job
from spark_captures import generated

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(900)]

MOMENTS = ("starting", "committing", "starting", "reading", "committing") * 2
START_S = 6.0  # until it reads, on a quiet machine


def jvm_of(pid: int) -> int:
    """The process id of the Java virtual machine that a driver has started."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def test_a_job_killed_at_random_moments_counts_every_line_once(
    kafka: Kafka, redis_server: Redis, mongodb: MongoDB, tmp_path: Path
) -> None:
    chance = random.Random(11)
    fleet = fleet_of(f"kills-{mongodb.kind}", tmp_path, kafka, redis_server, mongodb)
    many = generated(4_500, start=RECENT)
    late = named(generated(400, sources=1, seed=3, start=RECENT - timedelta(hours=2)).records, "late")
    whole = Capture({**many.records, **late})
    todo = [*pieces(many, 450)]
    todo.insert(2, late)  # from a server whose clock is two hours behind
    watched = Watched(fleet)
    job = Job(tmp_path / "job", fleet, rows=300)

    def wait(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            watched.rows()
            time.sleep(0.05)

    for moment in MOMENTS:
        send(kafka, fleet.topic, todo.pop(0), PARTITIONS)
        before = watched.rows()
        job.launch()
        if moment == "starting":
            wait(chance.uniform(0.5, START_S))
        else:
            watched.until(job.ready, "a start", job.logged)
        if moment == "reading":
            wait(chance.uniform(0.0, 1.5))
        elif moment == "committing":
            watched.until(lambda before=before: watched.rows() > before, "a batch", job.logged)  # type: ignore[misc]
            wait(chance.uniform(0.0, 0.3))
        if moment != "starting" and chance.random() < 0.3:  # without its Java it ends by itself, and says why
            os.kill(jvm_of(job.pid), signal.SIGKILL)
            watched.until(lambda: not job.running, "the end", job.logged)
        job.kill()
        watched.rows()
    for piece in todo:
        send(kafka, fleet.topic, piece, PARTITIONS)
    job.start()
    watched.until(lambda: watched.rows() >= whole.lines, "every line", job.logged)
    job.stop()
    assert len(watched.holds(whole, tmp_path / "embedded").incidents) > 10
