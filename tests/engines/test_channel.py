"""A channel gives everything once, in order, and lets either end stop the other."""

from __future__ import annotations

import threading

import pytest

from logvision.engines.channel import Channel, Closed


def test_what_is_put_is_got_in_order_and_then_it_is_closed() -> None:
    channel: Channel[int] = Channel(10)
    for number in range(5):
        channel.put(number)
    channel.end()
    assert [channel.get() for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(Closed):
        channel.get()


def test_an_empty_channel_gives_none_after_the_timeout() -> None:
    assert Channel[int](1).get(timeout=0.001) is None


def test_a_full_channel_makes_the_sender_wait_until_there_is_room() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    sender = threading.Thread(target=channel.put, args=(2,))
    sender.start()
    assert channel.get() == 1
    assert channel.get(timeout=5) == 2
    sender.join(5)


def test_room_is_waited_for_before_there_is_anything_to_put() -> None:
    channel: Channel[int] = Channel(1)
    channel.room()
    channel.put(1)
    asked = threading.Event()
    waiting = threading.Thread(target=lambda: (channel.room(), asked.set()))
    waiting.start()
    assert not asked.wait(0.01)
    assert channel.get() == 1
    assert asked.wait(5)
    waiting.join(5)


def test_aborting_frees_a_waiting_sender_and_a_waiting_receiver() -> None:
    full: Channel[int] = Channel(1)
    full.put(1)
    empty: Channel[int] = Channel(1)
    closed: list[str] = []

    def run(name: str, step: object) -> None:
        with pytest.raises(Closed):
            step()  # type: ignore[operator]
        closed.append(name)

    waiting = [
        threading.Thread(target=run, args=("put", lambda: full.put(2))),
        threading.Thread(target=run, args=("room", full.room)),
        threading.Thread(target=run, args=("get", empty.get)),
    ]
    for thread in waiting:
        thread.start()
    full.abort()
    empty.abort()
    for thread in waiting:
        thread.join(5)
    assert sorted(closed) == ["get", "put", "room"]
