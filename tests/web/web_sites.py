"""Web applications for tests, over a real lake, casebook and live bus."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from event_tables import NOON
from logvision.casebook.sqlite import SqliteCasebook
from logvision.clock import SettableClock
from logvision.incident import Evidence, Incident
from logvision.lake.segments import Lake
from logvision.live.memory import MemoryLive
from logvision.metrics import Metrics
from logvision.schema import Attack, Outcome, Severity, Stage
from logvision.web.app import create_app
from logvision.web.services import Hooks, WebOptions

HOSTILE = "/<script>alert(1)</script>?q='%22--\u202e=cmd|x"


class InProcess(httpx.BaseTransport):
    """Requests go to the application itself, each whole before the next."""

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            answer = await self._transport.handle_async_request(request)
            content = b"".join([part async for part in answer.aiter_raw()])
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)

        return asyncio.run(ask())


@dataclass
class Site:
    """The stores under one application, and how to make it."""

    lake: Lake
    casebook: SqliteCasebook
    live: MemoryLive
    clock: SettableClock
    static: Path

    def client(
        self, *, base_url: str = "http://127.0.0.1:8710", hooks: Hooks | None = None, **options: Any
    ) -> httpx.Client:
        app = create_app(
            self.lake,
            self.casebook,
            self.live,
            WebOptions(static=self.static, **options),
            hooks=hooks,
            clock=self.clock,
            metrics=Metrics(),
        )
        return httpx.Client(transport=InProcess(app), base_url=base_url)


def incident(number: int = 1) -> Incident:
    return Incident(
        id=f"{number:032x}",
        actor="ip:198.51.100.7",
        actor_kind="ip",
        site="shop.example",
        stage=Stage.EXPLOIT,
        attacks={Attack.SQLI: 1},
        outcome=Outcome.MISSED,
        severity=Severity.HIGH,
        score=0.9,
        first_seen=NOON,
        last_seen=NOON + timedelta(seconds=6),
        events=1,
        alerts=1,
        rules=("sqli-1",),
        evidence=(Evidence("access.log", 6, NOON, target=HOSTILE, attack=Attack.SQLI),),
        summary="198.51.100.7 tried SQL injection.",
    )
