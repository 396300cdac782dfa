"""The live stream: resumes, pings, ends, and gives everything back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from web_sites import Site

from logvision.live.base import KINDS, Message
from logvision.live.memory import MemoryLive
from logvision.web.stream import stream


async def taken(text: AsyncIterator[str], count: int) -> list[str]:
    return [await anext(text) for _ in range(count)]


def test_messages_come_with_id_kind_and_data() -> None:
    async def run() -> list[str]:
        live = MemoryLive()
        text = stream(live, None)
        first = await anext(text)
        waiting = asyncio.ensure_future(taken(text, 2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        id_ = live.publish("incident", {"note": "a\nb</script>"})
        live.publish("now", {"rate": 1})
        found = [first, *await waiting]
        await text.aclose()  # type: ignore[attr-defined]
        assert f"id: {id_}\n" in found[1]
        return [part.split("\n", 1)[1] if part.startswith("id") else part for part in found]

    assert asyncio.run(run()) == [
        "retry: 2000\n\n",
        'event: incident\ndata: {"note":"a\\nb</script>"}\n\n',
        'event: now\ndata: {"rate":1}\n\n',
    ]


def test_a_page_that_opens_gets_the_newest_state_at_once_without_ids() -> None:
    async def run() -> list[str]:
        live = MemoryLive()
        live.publish("now", {"rate": 1})
        live.publish("now", {"rate": 2})
        live.publish("health", {"sources": []})
        live.publish("incident", {"id": "x"})
        return (await taken(stream(live, None, frozenset({"now", "incident"})), 2))[1:]

    assert asyncio.run(run()) == ['event: now\ndata: {"rate":2}\n\n']


def test_a_page_that_comes_back_gets_what_it_missed() -> None:
    async def run() -> list[str]:
        live = MemoryLive()
        after = live.publish("now", {"rate": 1})
        live.publish("now", {"rate": 2})
        live.publish("incident", {"id": "x"})
        return [part.split("data: ")[1] for part in (await taken(stream(live, after), 3))[1:]]

    assert asyncio.run(run()) == ['{"rate":2}\n\n', '{"id":"x"}\n\n']


def test_an_id_of_another_process_is_a_gap() -> None:
    async def run() -> str:
        return (await taken(stream(MemoryLive(), "other-5"), 2))[1]

    assert "event: gap\ndata: {}\n\n" in asyncio.run(run())


def test_silence_is_filled_with_pings_and_no_message_is_lost_by_it() -> None:
    async def run() -> list[str]:
        live = MemoryLive()
        text = stream(live, None, ping_s=0.01)
        found = await taken(text, 3)
        live.publish("now", {"rate": 3})
        while not found[-1].startswith("id"):
            found += await taken(text, 1)
        return found

    found = asyncio.run(run())
    assert found[1:3] == [": ping\n\n", ": ping\n\n"]
    assert found[-1].endswith('event: now\ndata: {"rate":3}\n\n')


def test_the_stream_ends_with_the_bus() -> None:
    async def run() -> list[str]:
        live = MemoryLive()
        live.close()
        return [part async for part in stream(live, None)]

    assert asyncio.run(run()) == ["retry: 2000\n\n"]


class Watched:
    """A bus that tells whether its subscription was given back."""

    def __init__(self) -> None:
        self.open = 0

    async def subscribe(
        self, after: str | None = None, kinds: frozenset[str] = KINDS
    ) -> AsyncIterator[Message]:
        self.open += 1
        try:
            await asyncio.Event().wait()
            yield Message("1", "now", "{}")
        finally:
            self.open -= 1

    def snapshot(self) -> dict[str, Message]:
        return {}


def test_a_browser_that_goes_away_gives_its_subscription_back() -> None:
    async def run() -> tuple[int, int]:
        live = Watched()
        text = stream(live, None, ping_s=0.01)  # type: ignore[arg-type]
        await taken(text, 2)
        during = live.open
        await text.aclose()  # type: ignore[attr-defined]
        return during, live.open

    assert asyncio.run(run()) == (1, 0)


def test_a_cancelled_request_gives_its_subscription_back() -> None:
    async def run() -> tuple[int, int]:
        live = Watched()

        async def request() -> None:
            async for _ in stream(live, None):  # type: ignore[arg-type]
                pass

        task = asyncio.ensure_future(request())
        for _ in range(5):
            await asyncio.sleep(0)
        during = live.open
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(5):
            await asyncio.sleep(0)
        return during, live.open

    assert asyncio.run(run()) == (1, 0)


def test_the_address_of_the_stream_answers_as_an_event_stream(site: Site) -> None:
    after = site.live.publish("now", {"rate": 1})
    site.live.publish("now", {"rate": 2})
    site.live.close()  # so that it ends
    answer = site.client().get("/api/stream?kinds=now", headers={"last-event-id": after})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert 'event: now\ndata: {"rate":2}\n\n' in answer.text
