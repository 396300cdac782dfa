"""What a message's line is called, what is dropped as seen before, and where partitions go on."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logvision.sources.base import LINE_LIMIT, Batch, Position
from logvision.sources.kafka.ledger import NOTE_LIMIT, Ledger, Message, durable
from logvision.sources.kafka.origin import PLACE, SOURCE, Headers, Origin, Seen, of_message, to_headers, whole

TOPIC = "lines"


def shipped(
    offset: int, position: int, source: str = "web1:/a.log", epoch: int = 7, partition: int = 0
) -> Message:
    return (partition, offset, b"%d" % position, to_headers(Origin(source, epoch, position)))


def rows(batches: list[Batch]) -> dict[str, list[tuple[int, bytes]]]:
    return {
        batch.source: list(
            zip(batch.records["position"].to_pylist(), batch.records["raw"].to_pylist(), strict=True)
        )
        for batch in batches
    }


def resume(batches: list[Batch]) -> dict[str, Position]:
    return {batch.source: orjson.loads(orjson.dumps(batch.resume)) for batch in batches}


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1000),
    st.integers(0, (1 << 53) - 1),
    st.integers(0, (1 << 53) - 1),
    st.none() | st.integers(0, (1 << 53) - 1),
)
def test_headers_carry_any_origin(source: str, epoch: int, position: int, size: int | None) -> None:
    origin = Origin(source, epoch, position, size)
    assert of_message(to_headers(origin), TOPIC, 3, 5) == origin


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("traceparent", b"00-1")],
        [(SOURCE, b"web1"), (PLACE, b"7")],
        [(SOURCE, b"web1"), (PLACE, b"7:-1")],
        [(SOURCE, b"web1"), (PLACE, b"7:1e3")],
        [(SOURCE, b"web1"), (PLACE, b"7:" + b"9" * 60)],
        [(SOURCE, b"web1"), (PLACE, b"7:" + b"9" * 100_000)],
        [(SOURCE, b"web1"), (PLACE, None)],
        [(SOURCE, b""), (PLACE, b"7:1")],
        [(SOURCE, b"\xff\xfe"), (PLACE, b"7:1")],
        [(SOURCE, b"x" * 5000), (PLACE, b"7:1")],
    ],
)
def test_a_message_without_sensible_headers_is_named_by_its_partition_and_offset(headers: Headers) -> None:
    assert of_message(headers, TOPIC, 3, 5) == Origin("kafka:lines/3", 0, 5)


def test_lines_that_were_sent_again_are_dropped_and_counted() -> None:
    ledger = Ledger(TOPIC)
    first = ledger.batches([shipped(0, 0), shipped(1, 30), shipped(2, 60)])
    again = ledger.batches([shipped(3, 30), shipped(4, 60), shipped(5, 90)])
    assert rows(first) == {"web1:/a.log": [(0, b"0"), (30, b"30"), (60, b"60")]}
    assert rows(again) == {"web1:/a.log": [(90, b"90")]}
    assert ledger.repeats == 2


def test_what_was_seen_is_known_after_a_restart() -> None:
    before = Ledger(TOPIC)
    committed = resume(before.batches([shipped(0, 0), shipped(1, 30), shipped(2, 0, "web2:/a.log")]))
    after = Ledger(TOPIC)
    after.take_up(committed)
    assert after.start(0, -1001, None) == 3
    assert rows(after.batches([shipped(3, 30), shipped(4, 60)])) == {"web1:/a.log": [(60, b"60")]}


def test_a_lost_position_file_repeats_no_position_and_loses_no_line() -> None:
    ledger = Ledger(TOPIC)
    ledger.batches([shipped(0, 0), shipped(1, 30)])
    anew = ledger.batches([shipped(2, 0, epoch=8), shipped(3, 30, epoch=8), shipped(4, 30, epoch=8)])
    assert rows(anew) == {"web1:/a.log": [(31, b"0"), (61, b"30")]}


def test_a_topic_that_was_made_anew_goes_on_behind_the_old_positions() -> None:
    ledger = Ledger(TOPIC)
    committed = resume(ledger.batches([(0, 0, b"a", None), (0, 1, b"b", None)]))
    after = Ledger(TOPIC)
    after.take_up(committed)
    after.start(0, 2, None)
    anew = after.batches([(0, 0, b"c", None), (0, 1, b"d", None)])
    assert rows(anew) == {"kafka:lines/0": [(2, b"c"), (3, b"d")]}
    last = Ledger(TOPIC)
    last.take_up(resume(anew))
    last.start(0, -1001, None)
    assert rows(last.batches([(0, 2, b"e", None)])) == {"kafka:lines/0": [(4, b"e")]}


def test_a_partition_goes_on_where_its_last_reader_stopped_and_knows_what_that_one_has_seen() -> None:
    other = Ledger(TOPIC)
    offset, note = durable(TOPIC, resume(other.batches([shipped(0, 0), shipped(1, 30)])))[0]
    ledger = Ledger(TOPIC)
    assert ledger.start(0, offset, note) == 2
    assert rows(ledger.batches([shipped(2, 30), shipped(3, 60)])) == {"web1:/a.log": [(60, b"60")]}


@pytest.mark.parametrize(
    "note", ["another program's", "[]", '{"a": 1}', '{"a": [1, 2]}', '{"a": ["x", 1, 2]}']
)
def test_a_note_of_another_program_is_no_obstacle(note: str) -> None:
    assert Ledger(TOPIC).start(0, 5, note) == 5


def test_a_note_stays_within_what_a_group_keeps() -> None:
    ledger = Ledger(TOPIC)
    many = ledger.batches([shipped(n, n, f"web{n}:/var/log/nginx/access.log") for n in range(1000)])
    offset, note = durable(TOPIC, resume(many))[0]
    assert offset == 1000
    assert len(note.encode()) <= NOTE_LIMIT
    assert "web999:/var/log/nginx/access.log" in orjson.loads(note)


def test_positions_of_other_topics_and_kinds_are_left_alone() -> None:
    ledger = Ledger(TOPIC)
    ledger.take_up({"/var/log/a.log": {"base": 3, "file": None}})
    ledger.take_up(resume(Ledger("others").batches([shipped(8, 0)])))
    assert ledger.start(0, -1001, None) is None
    assert durable(TOPIC, {"/var/log/a.log": {"base": 3}}) == {}


def test_a_message_without_value_and_one_that_is_too_long_are_records_for_parsing_to_reject() -> None:
    ledger = Ledger(TOPIC)
    (batch,) = ledger.batches([(0, 0, None, None), (0, 1, b"x" * (LINE_LIMIT + 5), None)])
    assert list(map(len, batch.records["raw"].to_pylist())) == [0, LINE_LIMIT]
    assert len(whole(b"GET /", 3_000_000)) == LINE_LIMIT


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30)), max_size=60), st.data())
def test_each_line_is_given_once_whatever_was_sent_again(
    sends: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Shippers send on, or go back to an acknowledged place and send again from there."""
    seen, given = Seen(), []
    sent: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for source, more in sends:
        known = sent[source]
        again = data.draw(st.integers(0, len(known)))
        known.extend(range(len(known), len(known) + more))
        for position in known[again:]:
            found = seen.fresh(Origin(f"{source}", 1, position))
            if found is not None:
                given.append((source, found))
    assert sorted(given) == [(source, position) for source in sent for position in sent[source]]


def bare(offset: int, partition: int = 0) -> Message:
    """A line of a program that writes no headers."""
    return (partition, offset, b"%d" % offset, None)


def test_a_topic_that_was_made_anew_is_read_from_its_beginning_and_counts_on() -> None:
    ledger = Ledger(TOPIC)
    assert not ledger.belongs("one")
    ledger.batches([bare(0), bare(1), shipped(2, 50), shipped(0, 9, "web2:/b.log", partition=1)])
    assert not ledger.belongs("one")
    assert ledger.belongs("two")
    assert [ledger.start(partition, -1, None) for partition in (0, 1)] == [None, None]
    # Of what a shipper sends again into the new topic nothing counts twice.
    found = rows(ledger.batches([bare(0), bare(1), shipped(2, 50), shipped(3, 60)]))
    assert found == {"kafka:lines/0": [(2, b"0"), (3, b"1")], "web1:/a.log": [(60, b"60")]}


def test_a_topic_that_was_made_anew_while_nobody_read_is_known_by_what_was_committed() -> None:
    first = Ledger(TOPIC)
    first.belongs("one")
    committed = resume(first.batches([bare(0), bare(1), shipped(0, 9, partition=1)]))
    again = Ledger(TOPIC)
    again.take_up(committed)
    assert again.belongs("two")
    assert again.start(0, -1, None) is None
    found = again.batches([bare(0)])
    assert rows(found) == {"kafka:lines/0": [(2, b"0")]}
    # The source that sent nothing since still names the former topic: that is no third one.
    third = Ledger(TOPIC)
    third.take_up(committed | resume(found))
    third.belongs("two")
    assert third.start(0, -1, None) == 1
    assert rows(third.batches([bare(1)])) == {"kafka:lines/0": [(3, b"1")]}


def test_positions_of_a_former_topic_are_not_told_to_the_group() -> None:
    ledger = Ledger(TOPIC)
    ledger.belongs("one")
    old = resume(ledger.batches([shipped(8, 50), shipped(5, 9, "web2:/b.log", partition=1)]))
    ledger.belongs("two")
    new = resume(ledger.batches([shipped(0, 60)]))
    assert {number: offset for number, (offset, _) in durable(TOPIC, old | new, "two").items()} == {0: 1}
    assert durable(TOPIC, old, "one").keys() == {0, 1}


def test_what_a_reader_told_the_group_of_a_former_topic_is_no_offset_of_the_new_one() -> None:
    late = Ledger(TOPIC)
    late.belongs("one")
    offset, note = durable(TOPIC, resume(late.batches([shipped(8, 50)])), "one")[0]
    assert offset == 9
    reader = Ledger(TOPIC)
    reader.belongs("two")
    assert reader.start(0, offset, note) is None
    assert rows(reader.batches([shipped(0, 50), shipped(1, 60)])) == {"web1:/a.log": [(60, b"60")]}
    same = Ledger(TOPIC)
    same.belongs("one")
    assert same.start(0, offset, note) == 9


def test_positions_without_an_id_are_those_of_the_topic_that_is_there() -> None:
    first, again = Ledger(TOPIC), Ledger(TOPIC)
    again.take_up(resume(first.batches([bare(0), bare(1)])))
    assert not again.belongs("one")
    assert again.start(0, -1, None) == 2
