from __future__ import annotations

import weakref
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from logvision.sources import lines
from logvision.sources.lines import Blocks, Lines


def cut(data: bytes, sizes: list[int], limit: int) -> tuple[list[tuple[int, bytes]], int]:
    """Lines with their positions, when the data come in blocks of these sizes; and what was taken."""
    state, given_so_far, at, found = Lines(), 0, 0, []
    with mock.patch.object(lines, "LINE_LIMIT", limit):
        for size in [*sizes, len(data)]:
            piece = data[at : at + size]
            at += len(piece)
            kept = len(state.pending)
            block = state.block(len(piece))
            memoryview(block).cast("B")[kept:] = piece
            result = state.cut(block, kept + len(piece), final=at == len(data))
            table = result.records("s", given_so_far)
            found += list(zip(table["position"].to_pylist(), table["raw"].to_pylist(), strict=True))
            given_so_far += result.taken
            assert len(state.pending) < limit
            if at == len(data):
                break
    return found, given_so_far


@given(st.text("ab\n", max_size=80).map(str.encode), st.lists(st.integers(0, 20)), st.integers(2, 30))
def test_blocks_of_any_size_give_the_same_lines(data: bytes, sizes: list[int], limit: int) -> None:
    expected, start = [], 0
    for line in data.splitlines(keepends=True):
        expected.append((start, line[:limit] if len(line) > limit else line))
        start += len(line)
    assert cut(data, sizes, limit) == (expected, len(data))


def test_newlines_are_found_across_slices() -> None:
    data = b"0123456789\n" * 60_000
    found, taken = cut(data, [], 1 << 20)
    assert (len(found), found[-1], taken) == (60_000, (659_989, b"0123456789\n"), 660_000)


def test_the_memory_of_a_block_is_lent_again_when_nothing_holds_lines_in_it() -> None:
    blocks, state = Blocks(), Lines()
    ones, twos = (digit * 99 + b"\n" for digit in (b"1", b"2"))
    size = len(ones) * (lines.LARGE // len(ones) + 1)
    block = state.block(size, blocks.lend)
    place = block.address
    memoryview(block).cast("B")[:] = ones * (size // len(ones))
    records = state.cut(block, size).records("s", 0)
    del block
    other = state.block(size, blocks.lend)
    assert other.address != place  # lines are still held
    memoryview(other).cast("B")[:] = twos * (size // len(twos))
    assert set(records["raw"].to_pylist()) == {ones}
    place = other.address
    del other
    assert state.block(size, blocks.lend).address == place


def test_small_blocks_are_lent_once_and_end_what_was_kept() -> None:
    blocks = Blocks()
    large = blocks.lend(lines.LARGE)
    kept = weakref.ref(blocks._memory)
    del large
    assert kept() is not None
    assert blocks.lend(100).size == 100
    assert kept() is None
