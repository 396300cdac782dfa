"""A bus in a real Redis: many processes, one stream; a Redis that forgets costs messages and nothing else."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import redis

from logvision.errors import SetupError
from logvision.live.base import GAP, INCIDENT, NOW, Message
from logvision.live.redis import BYTES, STREAM, RedisLive
from logvision.metrics import Metrics
from servers import Redis
from servers.process import answers, free_port

pytestmark = pytest.mark.cluster("redis_server")


@pytest.fixture
def server(redis_server: Redis) -> Iterator[Redis]:
    with client(redis_server) as other:
        other.flushall()
    yield redis_server
    if not answers(redis_server.port):
        redis_server.start()


@pytest.fixture
def join(server: Redis) -> Iterator[Callable[..., RedisLive]]:
    """One more process on the same bus."""
    made: list[RedisLive] = []

    def live(**options: int) -> RedisLive:
        made.append(RedisLive(server.url, Metrics(), **options))
        return made[-1]

    yield live
    for one in made:
        one.close()


def client(server: Redis) -> redis.Redis:
    return redis.Redis(port=server.port, decode_responses=True)


def counted(live: RedisLive, what: str) -> float:
    text = live._sent.registry.render()
    return float(text.split(f"\nlogvision_live_{what}_messages_total ")[1].partition("\n")[0])


async def until(messages: AsyncIterator[Message], number: int) -> list[tuple[str, int | None]]:
    """Kinds and numbers of the messages up to the one with this number."""
    found: list[tuple[str, int | None]] = []
    async with asyncio.timeout(20):
        async for message in messages:
            found.append((message.kind, json.loads(message.data).get("n")))
            if found[-1][1] == number:
                return found
    raise AssertionError("the bus ended")


async def holds(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_browser_goes_on_at_another_process_with_the_id_it_has(join: Callable[..., RedisLive]) -> None:
    engine, left, right = join(), join(), join()

    async def run() -> list[tuple[str, int | None]]:
        messages = left.subscribe()
        first = asyncio.ensure_future(anext(messages))
        await holds(lambda: left._ring._waiting)
        for number in range(6):
            engine.publish(INCIDENT, {"n": number})
        seen = (await first).id
        assert engine.flush(10)
        return await until(right.subscribe(seen), 5)

    assert asyncio.run(run()) == [(INCIDENT, n) for n in range(1, 6)]


def test_several_publishers_and_every_reader_sees_every_message_once_and_in_one_order(
    join: Callable[..., RedisLive],
) -> None:
    publishers, readers = [join() for _ in range(4)], [join() for _ in range(2)]
    readers[0].snapshot()
    readers[1].snapshot()

    async def read(live: RedisLive) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        async with asyncio.timeout(30):
            async for message in live.subscribe():
                found.append((message.id, message.data))
                if len(found) == 400:
                    break
        return found

    async def run() -> list[list[tuple[str, str]]]:
        reading = [asyncio.ensure_future(read(live)) for live in readers]
        await holds(lambda: all(live._ring._waiting for live in readers))
        for number in range(100):
            for index, live in enumerate(publishers):
                live.publish(NOW, {"n": number, "by": index})
        return list(await asyncio.gather(*reading))

    first, second = asyncio.run(run())
    assert first == second
    assert len({data for _, data in first}) == 400
    for index in range(4):
        mine = [json.loads(data) for _, data in first]
        assert [m["n"] for m in mine if m["by"] == index] == list(range(100))


def test_a_flushed_redis_is_a_gap_for_every_subscriber_and_then_it_goes_on(
    join: Callable[..., RedisLive], server: Redis
) -> None:
    live = join()

    async def run() -> list[tuple[str, int | None]]:
        messages = live.subscribe()
        first = asyncio.ensure_future(until(messages, 1))
        await holds(lambda: live._ring._waiting)
        live.publish(NOW, {"n": 1})
        found = await first
        with client(server) as other:
            other.flushall()
        async with asyncio.timeout(20):
            async for message in live.subscribe(live._ring.end):
                found.append((message.kind, json.loads(message.data).get("n")))
                if message.kind != GAP:
                    return found
                live.publish(NOW, {"n": 2})
        raise AssertionError("the bus ended")

    assert asyncio.run(run()) == [(NOW, 1), (GAP, None), (NOW, 2)]


def test_a_message_that_comes_while_an_idle_reader_looks_after_the_stream_is_no_gap(
    join: Callable[..., RedisLive], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, page = join(), join()
    look = page._end

    def late() -> str:
        if page._ring._waiting and threading.current_thread().name == "logvision-live-mirror":
            monkeypatch.setattr(page, "_end", look)
            engine.publish(NOW, {"n": 2})
            assert engine.flush(10)
        return look()

    async def run() -> list[tuple[str, int | None]]:
        engine.publish(NOW, {"n": 0})
        assert engine.flush(10)
        page.snapshot()
        assert page.flush(10)
        messages = page.subscribe()
        first = asyncio.ensure_future(anext(messages))
        await holds(lambda: page._ring._waiting)
        engine.publish(NOW, {"n": 1})
        found = [(NOW, json.loads((await first).data)["n"])]
        monkeypatch.setattr(page, "_end", late)
        return found + await until(messages, 2)

    assert asyncio.run(run()) == [(NOW, 1), (NOW, 2)]


def test_a_redis_that_is_gone_blocks_no_publisher_and_what_is_dropped_is_counted(
    join: Callable[..., RedisLive], server: Redis
) -> None:
    live = join(waiting=10)

    async def run() -> list[tuple[str, int | None]]:
        messages = live.subscribe()
        reading = asyncio.ensure_future(until(messages, 0))
        await holds(lambda: live._ring._waiting)
        live.publish(NOW, {"n": 0})
        found = await reading
        server.kill()
        await holds(lambda: live.problem)
        assert f"redis://127.0.0.1:{server.port}/0 does not answer" in (live.problem or "")
        before = time.process_time()
        for number in range(1, 100):
            live.publish(NOW, {"n": number})
        assert time.process_time() - before < 0.5
        assert not live.flush(0)
        server.start()
        # This Redis keeps nothing over a restart; the gap covers what came before it is told.
        found.append(((await anext(messages)).kind, None))
        await holds(lambda: live.flush(1))
        assert live.problem is None
        live.publish(NOW, {"n": 100})
        return found + (await until(messages, 100))[-1:]

    assert asyncio.run(run()) == [(NOW, 0), (GAP, None), (NOW, 100)]
    with client(server) as other:
        kept = [json.loads(fields["data"])["n"] for _, fields in other.xrange(STREAM)]
    assert kept == list(range(90, 101))
    dropped, sent = counted(live, "dropped"), counted(live, "sent")
    assert (dropped, sent) == (89, 12)


def test_a_process_that_starts_before_redis_waits_for_it(tmp_path: Path) -> None:
    server = Redis(tmp_path / "redis")
    live = RedisLive(server.url)
    try:
        assert live.problem is not None
        assert live.snapshot() == {}
        live.publish(NOW, {"n": 1})
        with server:
            assert live.flush(20)
            assert {kind: m.data for kind, m in live.snapshot().items()} == {NOW: '{"n":1}'}
            assert live.problem is None
    finally:
        server.kill()
        live.close()


def test_the_stream_is_bounded_in_messages_and_in_bytes(
    join: Callable[..., RedisLive], server: Redis
) -> None:
    with client(server) as other:
        many, large = join(messages=5), join(size=10_000)
        for number in range(20):
            many.publish(NOW, {"n": number})
        assert many.flush(10)
        assert other.xlen(STREAM) == 5
        for _ in range(20):
            large.publish(NOW, {"text": "x" * 2_000})
        assert large.flush(10)
        kept = [len(fields["data"]) for _, fields in other.xrange(STREAM)]
        assert kept == [2_011] * 4
        assert other.get(BYTES) == str(sum(kept))


def test_an_empty_bus_is_filled_by_one_process_of_all_and_again_when_it_was_flushed(
    join: Callable[..., RedisLive], server: Redis
) -> None:
    lives = [join(), join(), join()]
    assert [live.is_cold() for live in lives] == [True, False, False]
    with client(server) as other:
        other.flushall()
    assert sorted(live.is_cold() for live in lives) == [False, False, True]
    server.kill()
    assert [live.is_cold() for live in lives] == [False, False, False]


def test_publishing_from_many_threads_loses_nothing(join: Callable[..., RedisLive], server: Redis) -> None:
    live = join()
    threads = [
        threading.Thread(target=lambda: [live.publish(NOW, {"n": n}) for n in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.flush(20)
    with client(server) as other:
        assert other.xlen(STREAM) == 200


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:port/0", "http://127.0.0.1:1/", "redis:/x:y", "localhost"]
)
def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SetupError, match=r"live\.url: got .*; expected redis://"):
        RedisLive(url)


def test_a_refused_password_is_a_mistake_in_the_set_up_and_is_not_shown(server: Redis) -> None:
    with client(server) as other:
        other.config_set("requirepass", "correct")
        with pytest.raises(SetupError, match="a Redis that lets us in") as refused:
            RedisLive(f"redis://:secret@{server.address}/0")
        other.config_set("requirepass", "")
    assert "secret" not in str(refused.value)


def test_closing_leaves_no_connection_open(join: Callable[..., RedisLive], server: Redis) -> None:
    with client(server) as other:
        before = {row["id"] for row in other.client_list()}
        live = join()
        live.publish(NOW, {"n": 1})
        live.snapshot()
        assert live.flush(20)
        assert {row["id"] for row in other.client_list()} > before
        live.close()
        deadline = time.monotonic() + 20
        while {row["id"] for row in other.client_list()} != before:
            assert time.monotonic() < deadline


def test_closing_does_not_wait_for_a_redis_that_is_gone() -> None:
    live = RedisLive(f"redis://127.0.0.1:{free_port()}")
    live.publish(NOW, {})
    live.snapshot()
    before = time.monotonic()
    live.close()
    live.close()
    assert time.monotonic() - before < 10
