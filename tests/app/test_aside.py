"""A loop beside the main work ends with its block, and a bug in it is not passed over."""

from __future__ import annotations

import threading

import pytest

from logvision.app.aside import aside


def test_the_loop_runs_until_the_block_is_left() -> None:
    stop, began, ended = threading.Event(), threading.Event(), threading.Event()

    def run() -> None:
        began.set()
        stop.wait()
        ended.set()

    with aside("test", run, stop):
        assert began.wait(10)
        assert not ended.is_set()
    assert ended.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_loop_is_raised_where_the_block_ends() -> None:
    def run() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), aside("test", run, threading.Event()):
        pass
