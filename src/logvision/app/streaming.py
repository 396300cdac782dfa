"""Streaming: the job on Spark with the stores it writes to, and what it says of itself meanwhile."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from logvision.app import parts
from logvision.app.excepting import Excepting
from logvision.app.pulse import Pulse, answering
from logvision.app.reloading import Reloading, Say
from logvision.app.stores import open_live, open_stores, wait_for
from logvision.app.upkeep import Upkeep
from logvision.app.watching import on_signals
from logvision.clock import SystemClock
from logvision.config import Settings
from logvision.errors import Problem, SetupError
from logvision.live.ticker import Ticker
from logvision.metrics import Metrics

CHECKPOINT: Final = "checkpoint"
"""Folder beside the lake's own, unless told otherwise. Names that a lake does not read."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a job reads, and where it runs."""

    kafka: str  # host:port,…
    topic: str
    kafka_settings: Mapping[str, str] = field(default_factory=dict)  # of Java's client: security.protocol, …
    alerts: str | None = None  # topic that gets every change of an incident
    checkpoint: str | None = None  # folder or URL; None: in the data folder
    master: str | None = None  # None: as spark-submit says
    jars: Path | None = None  # folder with Spark's Kafka source; None: Spark has it
    memory: str | None = None  # of the driver, for a master that is this process
    rows: int = 200_000  # of a batch at most
    every_s: float = 1.0  # between the beginnings of two batches
    once: bool = False  # end when everything that is there now is read
    metrics_port: int | None = None  # serve /metrics there, on 127.0.0.1


def needs_spark() -> None:
    """Raises SetupError without the extra."""
    lacking = [name for name in ("pyspark", "pandas") if find_spec(name) is None]
    if lacking:
        raise SetupError(
            Problem(", ".join(lacking), "not installed", 'them: pip install "logvision[spark,cluster]"')
        )


def stream(settings: Settings, job: Job, say: Say, stop: threading.Event | None = None) -> None:
    """Run until a signal comes or `stop` is set, or with `once` to the end. Raises SetupError, StoreError.

    A broker or a store that is lost is told of and waited for; nothing is committed past it.
    """
    needs_spark()
    from logvision.engines.spark.alerts import AlertTopic  # noqa: PLC0415 - an extra
    from logvision.engines.spark.fold import Fold, Places  # noqa: PLC0415
    from logvision.engines.spark.session import end, jars_of, session  # noqa: PLC0415
    from logvision.engines.spark.stream import Judges, Stream, Topic  # noqa: PLC0415

    stop = stop or threading.Event()
    clock = SystemClock()
    with ExitStack() as stack:
        jars = jars_of(job.jars) if job.jars is not None else []
        stack.enter_context(on_signals(stop.set, signal.SIGINT, signal.SIGTERM))
        known, state = parts.knowledge(settings, settings.lake.folder), parts.state(settings)
        rules = Reloading(known, settings.detect.rules, say)
        stack.enter_context(on_signals(rules.ask, signal.SIGHUP))
        folder = settings.lake.folder
        stores = stack.enter_context(open_stores(folder, settings.casebook.url, writer=True))
        if not wait_for(stores, say, stop):
            return
        excepting = Excepting(known, stores.casebook)
        excepting.look()
        metrics = Metrics()
        live = stack.enter_context(open_live(settings.live.url, metrics))
        spark = session(job.master, jars, {"spark.driver.memory": job.memory} if job.memory else {})
        stack.callback(end, spark)
        alerts = None
        if job.alerts is not None:
            alerts = AlertTopic(spark, job.kafka, job.alerts, job.kafka_settings)
        fold = Fold(
            Places(stores.lake, stores.casebook, live, Ticker(live, clock), alerts),
            known,
            state,
            clock=clock,
            pins=settings.formats,
            metrics=metrics,
            anonymiser=parts.anonymiser(settings.lake, kept=True),
            stop=stop,
        )
        fold.take_up()
        topic = Topic(
            bootstrap=job.kafka,
            topic=job.topic,
            checkpoint=job.checkpoint or str(folder / CHECKPOINT),
            rows=job.rows,
            every_s=job.every_s,
            kafka=job.kafka_settings,
            once=job.once,
        )
        job_stream = Stream(spark, topic, Judges(spark, parts.bundle(known, settings)), fold, stop=stop)
        upkeep = Upkeep(stores, settings.lake, settings.casebook, clock)
        problems: Mapping[str, Any] = {
            "engine": lambda: fold.problem,
            "kafka": lambda: job_stream.problem or (alerts.problem if alerts else None),
            "spark": lambda: job_stream.trouble,
            "rules": lambda: rules.problem,
            "upkeep": lambda: upkeep.problem,
        }
        pulse = Pulse(fold.counts, job_stream.progress, live, clock, problems, metrics, say)
        for part in (upkeep.running(), rules.running(), excepting.running(), pulse.running()):
            stack.enter_context(part)
        if job.metrics_port is not None:
            stack.enter_context(answering(metrics, job.metrics_port))
        job_stream.run()
