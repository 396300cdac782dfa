"""Shared results: made once for all who ask at the same time, kept while they are asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from logvision.lake.queries.shared import Shared


def test_what_many_ask_for_at_once_is_made_once() -> None:
    shared, begun, go_on = Shared(), threading.Event(), threading.Event()
    made: list[int] = []

    def make() -> int:
        begun.set()
        assert go_on.wait(10)
        made.append(1)
        return 42

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(shared.get, "key", make)
        assert begun.wait(10)
        others = [pool.submit(shared.get, "key", make) for _ in range(4)]
        go_on.set()
        assert [one.result(10) for one in (first, *others)] == [42] * 5
    assert made == [1]


def test_what_failed_is_raised_and_tried_again_next_time() -> None:
    shared = Shared()

    def fail() -> int:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        shared.get("key", fail)
    assert shared.get("key", lambda: 1) == 1


def test_what_nobody_asked_for_longest_goes_first() -> None:
    shared = Shared(kept=2)
    for key in ("a", "b", "a", "c"):
        shared.get(key, lambda key=key: [key])  # type: ignore[misc]
    again = {key: shared.get(key, lambda: ["made again"]) for key in ("a", "c", "b")}
    assert again == {"a": ["a"], "c": ["c"], "b": ["made again"]}
