"""What a job on Spark says of itself: to pages over the live bus, to Prometheus over a port of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import orjson

from logvision.app.aside import aside
from logvision.app.problems import LOOK_S, PERIOD_S, Problems, Teller, checks
from logvision.clock import Clock
from logvision.errors import Problem, SetupError
from logvision.lake.segments import Counts
from logvision.live.base import HEALTH, Live
from logvision.metrics import Metrics

LAG: Final = ("logvision_read_lag_rows", "Lines of a partition that wait to be read")
"""Name and help of the gauge, for every engine that reads a topic; label: topic/partition."""


class Pulse:
    """Asks the job from a thread of its own."""

    def __init__(
        self,
        counts: Callable[[], Mapping[str, Counts]],
        progress: Callable[[], Mapping[str, Any]],
        live: Live,
        clock: Clock,
        problems: Problems,
        metrics: Metrics,
        say: Callable[[str], None],
    ) -> None:
        """`counts`: of each source. `progress`: as Spark says it of the last batch; empty: none yet."""
        self._counts = counts
        self._progress = progress
        self._live = live
        self._clock = clock
        self._problems = problems
        self._teller = Teller(say)
        self._stop = threading.Event()
        self._lag = metrics.gauge(*LAG)
        self._seconds = metrics.gauge("logvision_stream_batch_seconds", "What the last batch took")
        self._rate = metrics.gauge(
            "logvision_stream_rows_per_second", "Lines read a second, of the last batch"
        )

    def checks(self) -> list[Mapping[str, Any]]:
        """Rows of GET /api/health: every part of the job and what is wrong with it."""
        return checks(self._problems)

    def sources(self) -> list[Mapping[str, Any]]:
        """Rows of GET /api/sources, one per source."""
        lost = self._problems["kafka"]()
        last = self._progress().get("timestamp")
        return [
            {
                "source": name,
                "kind": "kafka",
                "state": "waiting" if lost else "following",
                "detail": lost or "",
                "read_bytes": counts.bytes,
                "last_read": None if last is None else datetime.fromisoformat(last),
                "events": counts.events,
                "rejects": counts.rejects,
                "filtered": counts.filtered,
                "late": counts.late,
            }
            for name, counts in sorted(self._counts().items())
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Tell when a state changes, and every five seconds."""
        with aside("pulse", self._run, self._stop):
            yield

    def _run(self) -> None:
        told: object = None
        due = 0.0
        while not self._stop.wait(LOOK_S):
            found = self.checks()
            self._teller.tell({row["name"]: row["detail"] for row in found if not row["ok"]})
            now = self._clock.monotonic()
            if found == told and now < due:
                continue
            told, due = found, now + PERIOD_S
            self._measure()
            self._live.publish(HEALTH, {"sources": self.sources(), "checks": found})

    def _measure(self) -> None:
        progress = self._progress()
        if not progress:
            return
        self._seconds.set(progress.get("durationMs", {}).get("triggerExecution", 0) / 1000)
        self._rate.set(progress.get("processedRowsPerSecond") or 0.0)
        self._lag.set_each("partition", lag(progress))


def lag(progress: Mapping[str, Any]) -> dict[str, int]:
    """Lines that wait, by topic/partition, of a batch's progress."""
    found: dict[str, int] = {}
    for source in progress.get("sources", ()):
        latest, end = (_offsets(source.get(name)) for name in ("latestOffset", "endOffset"))
        found |= {place: max(0, offset - end.get(place, 0)) for place, offset in latest.items()}
    return found


def _offsets(said: Any) -> dict[str, int]:
    """Offsets by topic/partition: Spark gives them as JSON, once or twice encoded."""
    given = orjson.loads(said) if isinstance(said, str) else said or {}
    return {
        f"{topic}/{number}": int(offset)
        for topic, partitions in given.items()
        for number, offset in partitions.items()
    }


@contextmanager
def answering(metrics: Metrics, port: int) -> Iterator[None]:
    """Answer GET /metrics on this port of 127.0.0.1. Raises SetupError when it is taken."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(404)
                return
            said = metrics.render().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are no news."""

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
    except OSError as error:
        raise SetupError(Problem("--metrics-port", f"{port}: {error.strerror}", "a free port")) from None
    thread = threading.Thread(target=server.serve_forever, name="logvision-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
