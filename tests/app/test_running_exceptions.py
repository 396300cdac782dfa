"""Exceptions made while it runs count for the next lines, and the explanation on the page knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from whole_runs import Watched, event_rows, line

MORE = 12
"""Lines that are surely enough for an incident."""


@pytest.mark.slow
def test_an_exception_counts_for_the_next_lines_until_it_is_taken_back(
    tmp_path: Path, one_rule: Path
) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(line(0))
    with Watched(log, data) as run:

        def rules(number: int) -> str | None:
            with log.open("ab") as file:
                file.write(line(number, f"/{number}/.env"))
            run.until(lambda: [r for r in event_rows(data) if r["bytes"] == number], "the line")
            return next(r["rules"] for r in event_rows(data) if r["bytes"] == number)

        def judged(first: int, wanted: bool) -> str | None:
            """The rules of the first line from this number on that is silenced, or is not."""
            found: list[str | None] = []
            run.until(
                lambda: found.append(rules(first + len(found))) or (":" in (found[-1] or "")) is wanted,
                "the exception to count",
            )
            return found[-1]

        before = rules(1)
        assert before is not None
        with httpx.Client(base_url=run.url) as client:
            made = client.post("/api/exceptions", json={"reason": "ours", "parameter": "{path}"}).json()
            assert judged(100, wanted=True) == f"except:{made['id']}"
            event = client.get("/api/events?limit=1").json()["rows"][0]
            found = client.get("/api/explain", params={"id": event["id"]}).json()
            assert (found["attack"], found["context"][0]["rule"]) == (None, made["id"])
            for number in range(500, 500 + MORE):
                rules(number)
            detail = client.get(f"/api/exceptions/{made['id']}").json()
            assert detail["silenced"] > MORE
            assert [row["actor"] for row in detail["incidents"]] == ["ip:203.0.113.7"]
            client.delete(f"/api/exceptions/{made['id']}")
            assert judged(1000, wanted=False) == before


@pytest.mark.slow
def test_a_change_is_tried_and_labels_are_learned_from_while_it_runs(tmp_path: Path, one_rule: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(b"".join(line(n, f"/{n}/.env") for n in range(MORE)))
    with Watched(log, data) as run:
        run.until(lambda: len(event_rows(data)) == MORE, "the lines")
        with httpx.Client(base_url=run.url) as client:

            def backtest() -> dict[str, Any]:
                found: dict[str, Any] = client.get("/api/backtest").json()
                return found

            assert client.post("/api/backtest", json={"threshold": 0.999}).status_code == 202
            run.until(lambda: backtest()["report"], "the backtest")
            report = backtest()["report"]
            assert (report["why"], report["events"]) == ("threshold 0.999", MORE)
            assert (report["disappearing"]["events"], report["incidents_after"]) == (MORE, 0)

            event = client.get("/api/events?limit=1").json()["rows"][0]
            client.post("/api/labels", json={"event": event["id"], "attack": "sensitive"})
            learned = client.post("/api/model/learn").json()
            assert learned["card"]["name"] == "ngram-v1"
            assert (learned["learning"]["labels"], learned["learning"]["promoted"]) == (1, False)
            assert "it takes 20" in learned["learning"]["refused"][0]
