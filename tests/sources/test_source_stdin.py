from __future__ import annotations

import io
import os

from logvision.sources.stdin import StdinSource


def test_lines_come_as_they_are_written_and_the_last_one_at_the_end() -> None:
    out, into = os.pipe()
    with os.fdopen(out, "rb") as file:
        reader = StdinSource(file).open({})
        assert reader.read(1 << 20) == []
        os.write(into, b"one\ntw")
        (batch,) = reader.read(1 << 20)
        assert batch.records.to_pydict() == {"raw": [b"one\n"], "source": ["stdin"], "position": [0]}
        assert not reader.finished
        os.write(into, b"o\nthree")
        os.close(into)
        rest = [
            line
            for _ in range(2)
            for found in reader.read(1 << 20)
            for line in found.records["raw"].to_pylist()
        ]
        assert rest == [b"two\n", b"three"]
        assert reader.finished
        assert reader.read(1 << 20) == []
        assert reader.status()[0].state == "finished"


def test_after_a_restart_positions_go_on() -> None:
    first = StdinSource(io.BytesIO(b"one\n")).open({})
    (batch,) = first.read(1 << 20)
    again = StdinSource(io.BytesIO(b"two\n")).open({batch.source: batch.resume})
    (batch,) = again.read(1 << 20)
    assert batch.records["position"].to_pylist() == [4]


def test_an_empty_stream_is_finished_at_once() -> None:
    reader = StdinSource(io.BytesIO()).open({})
    assert reader.read(1 << 20) == []
    assert reader.finished


def test_without_follow_lines_are_cut_by_bytes_whatever_the_pace() -> None:
    lines = [b"line %d\n" % number for number in range(100)]
    stream, limit = b"".join(lines), 300
    whole = StdinSource(io.BytesIO(stream), follow=False).open({})
    expected = []
    while not whole.finished:
        expected += whole.read(limit)
    out, into = os.pipe()
    with os.fdopen(out, "rb") as file:
        reader = StdinSource(file, follow=False).open({})
        found = []
        for at in range(0, len(stream), 70):
            os.write(into, stream[at : at + 70])
            found += reader.read(limit)
        os.close(into)
        while not reader.finished:
            found += reader.read(limit)
    assert len(found) == 3
    assert found == expected
    assert [line for batch in found for line in batch.records["raw"].to_pylist()] == lines
