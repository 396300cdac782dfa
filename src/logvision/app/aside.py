"""A loop beside the main work: a thread that lives as long as a block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def aside(name: str, run: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    """Run `run` in a thread until the block is left, which sets `stop` and waits for it to return.

    What it raises is a bug: it is told at once (`threading.excepthook`) and raised again at the block's end.
    """
    failure: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:
            failure.append(error)
            raise

    thread = threading.Thread(target=guarded, name=f"logvision-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failure:
        raise failure[0]
