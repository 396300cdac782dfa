"""A browser that goes away takes its questions with it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from web_sites import Site

from logvision.lake import queries
from logvision.lake.queries import Abandoned, Database
from logvision.lake.queries.filter import Clause
from logvision.web.app import create_app
from logvision.web.services import WebOptions


def test_what_is_asked_for_a_browser_ends_when_it_goes_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), []

    def endless(database: Database, _: queries.Question) -> None:
        def question(reading: Any) -> None:
            while True:
                reading.rows(Clause("select 1"))
                began.set()

        try:
            database.ask(question)
        except Abandoned:
            ended.append(True)
            raise

    monkeypatch.setattr(queries, "totals", endless)
    app = create_app(site.lake, site.casebook, site.live, WebOptions(static=site.static), clock=site.clock)
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/totals",
        "raw_path": b"/api/totals",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
    }
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await asyncio.to_thread(began.wait)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        await asyncio.wait_for(app(scope, receive, send), 60)

    asyncio.run(run())
    assert ended == [True]
    assert sent[0]["status"] == 503
