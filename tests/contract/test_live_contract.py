"""Every live bus gives messages once, in order, resumes by id, says when it cannot, and never waits."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from logvision.live.base import EVENTS, GAP, HEALTH, INCIDENT, NOW, Live
from logvision.live.memory import MemoryLive
from logvision.live.redis import RedisLive
from servers import Redis


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(tmp_path_factory.mktemp("redis")) as started:
        assert isinstance(started, Redis)
        yield started


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.cluster("redis_server"))])
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[int], Live]]:
    """Makes an empty bus that keeps so many messages."""
    made: list[Live] = []

    def bus(kept: int) -> Live:
        if request.param == "memory":
            made.append(MemoryLive(messages=kept))
        else:
            server: Redis = request.getfixturevalue("server")
            with redis.Redis(port=server.port) as client:
                client.flushall()
            made.append(RedisLive(server.url, messages=kept))
        return made[-1]

    yield bus
    for live in made:
        live.close()


@pytest.fixture
def live(make: Callable[[int], Live]) -> Live:
    return make(100)


def told(live: Live, kind: str, data: dict[str, Any]) -> str:
    """Publish, and give the id with which it came."""
    live.snapshot()  # whoever looks once is kept up to date from then on
    live.publish(kind, data)
    assert live.flush(10)
    return live.snapshot()[kind].id


async def take(
    live: Live, count: int, after: str | None = None, **options: object
) -> list[tuple[str, object]]:
    """The next `count` messages as (kind, data)."""
    found: list[tuple[str, object]] = []
    async with asyncio.timeout(10):
        async for message in live.subscribe(after, **options):  # type: ignore[arg-type]
            found.append((message.kind, json.loads(message.data)))
            if len(found) == count:
                break
    return found


def test_a_browser_resumes_after_the_last_message_it_saw(live: Live) -> None:
    ids = [told(live, NOW, {"n": n}) for n in range(5)]
    assert asyncio.run(take(live, 2, after=ids[2])) == [(NOW, {"n": 3}), (NOW, {"n": 4})]


def test_a_new_subscriber_gets_what_is_published_from_then_on_from_any_thread(live: Live) -> None:
    async def run() -> list[tuple[str, object]]:
        told(live, NOW, {"n": 0})
        messages = live.subscribe()
        first = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        threading.Thread(target=live.publish, args=(NOW, {"n": 1})).start()
        async with asyncio.timeout(10):
            message = await first
        return [(message.kind, json.loads(message.data))]

    assert asyncio.run(run()) == [(NOW, {"n": 1})]


def test_only_the_wanted_kinds_come(live: Live) -> None:
    start = told(live, NOW, {})
    for kind in (NOW, EVENTS, INCIDENT, HEALTH):
        live.publish(kind, {"kind": kind})
    wanted = frozenset({INCIDENT, HEALTH})
    assert asyncio.run(take(live, 2, after=start, kinds=wanted)) == [
        (INCIDENT, {"kind": INCIDENT}),
        (HEALTH, {"kind": HEALTH}),
    ]


def test_what_is_no_longer_kept_is_a_gap_and_then_it_goes_on(make: Callable[[int], Live]) -> None:
    live = make(3)
    first = told(live, NOW, {"n": 0})
    for number in range(1, 10):
        live.publish(NOW, {"n": number})
    assert live.flush(10)

    async def run() -> list[tuple[str, object]]:
        found = []
        async with asyncio.timeout(10):
            async for message in live.subscribe(first):
                found.append((message.kind, json.loads(message.data)))
                if message.kind == GAP:
                    live.publish(NOW, {"n": "after"})
                else:
                    break
        return found

    assert asyncio.run(run()) == [(GAP, {}), (NOW, {"n": "after"})]


@pytest.mark.parametrize("foreign", ["", "nonsense", "00000000-5", "x-\u0663", "a-b-c"])
def test_an_id_of_another_bus_is_a_gap(live: Live, foreign: str) -> None:
    live.publish(NOW, {})
    assert asyncio.run(take(live, 1, after=foreign)) == [(GAP, {})]


def test_the_snapshot_has_the_newest_of_each_kind(live: Live) -> None:
    live.publish(NOW, {"n": 1})
    live.publish(HEALTH, {"ok": True})
    told(live, NOW, {"n": 2})
    newest = live.snapshot()
    assert {kind: json.loads(m.data) for kind, m in newest.items()} == {NOW: {"n": 2}, HEALTH: {"ok": True}}


def test_closing_ends_every_subscription(live: Live) -> None:
    async def run() -> list[object]:
        messages = live.subscribe()
        waiting = asyncio.ensure_future(anext(messages, None))
        await asyncio.sleep(0)
        live.close()
        async with asyncio.timeout(10):
            return [await waiting]

    assert asyncio.run(run()) == [None]


def test_an_unknown_kind_is_a_mistake(live: Live) -> None:
    with pytest.raises(ValueError, match="rumour"):
        live.publish("rumour", {})
