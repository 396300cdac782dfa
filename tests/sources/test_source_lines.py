from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from logvision.sources import lines
from logvision.sources.lines import Lines


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
