"""Messages read column by column name the same lines as `origin` names one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from logvision.engines.spark.feeding import messages
from logvision.engines.spark.messages import MESSAGE, concatenated, fresh
from logvision.sources.kafka.origin import PLACE, SOURCE, Origin, Seen, of_message, to_headers, whole

Sent = tuple[bytes | None, list[tuple[str, bytes | None]] | None]

TOLD = st.builds(
    lambda source, epoch, position, size: to_headers(Origin(source, epoch, position, size)),
    st.sampled_from(["web1:/a.log", "web2:/ü.log"]),
    st.integers(0, 2),
    st.integers(0, 8),
    st.sampled_from([None, None, None, 1 << 21]),
)
POISON = st.sampled_from(
    [
        None,
        [],
        [("traceparent", b"00-1")],
        [(SOURCE, b"web1:/a.log")],
        [(SOURCE, b"\xff"), (PLACE, b"0:1")],
        [(SOURCE, b""), (PLACE, b"0:1")],
        [(SOURCE, b"web1:/a.log"), (PLACE, b"0:-1")],
        [(SOURCE, b"web1:/a.log"), (PLACE, b"1")],
        [(SOURCE, b"web1:/a.log"), (PLACE, None)],
        [(SOURCE, b"web1:/a.log"), (PLACE, b"0:9999999999999999")],
        [(SOURCE, b"web1:/a.log"), (PLACE, b"0:1:2:3")],
        [(SOURCE, b"old"), (SOURCE, b"web1:/a.log"), (PLACE, b"0:7")],
    ]
)
VALUE = st.sampled_from([b"GET /", b"GET /\n", b"one\ntwo", b"", None])
SENT = st.lists(st.tuples(VALUE, TOLD | POISON), max_size=30)


def table(sent: Sequence[Sent], topic: str = "access", partition: int = 3, begin: int = 0) -> pa.Table:
    rows = [
        {
            "topic": topic,
            "partition": partition,
            "offset": begin + number,
            "value": value,
            "headers": None if headers is None else [{"key": key, "value": told} for key, told in headers],
        }
        for number, (value, headers) in enumerate(sent)
    ]
    return pa.Table.from_pylist(rows, schema=MESSAGE)


def one_by_one(sent: Sequence[Sent], seen: Seen, begin: int = 0) -> list[dict[str, Any]]:
    rows = []
    for number, (value, headers) in enumerate(sent):
        origin = of_message(headers, "access", 3, begin + number)
        position = seen.fresh(origin)
        if position is not None:
            rows.append({"raw": whole(value, origin.size), "source": origin.source, "position": position})
    return rows


@given(SENT, st.integers(0, 30))
def test_messages_are_read_as_their_origin_says_wherever_a_batch_ends(sent: list[Sent], cut: int) -> None:
    seen = Seen()
    first, second = sent[:cut], sent[cut:]
    one = fresh(table(first), {})
    other = fresh(table(second, begin=len(first)), one.paces)
    assert one.records.to_pylist() == one_by_one(first, seen)
    assert other.records.to_pylist() == one_by_one(second, seen, begin=len(first))
    assert one.repeats + other.repeats == len(sent) - len(one.records) - len(other.records)


def test_a_source_that_moves_to_another_partition_loses_no_line_that_waits_in_the_former() -> None:
    told = [(b"GET /", to_headers(Origin("web1:/a.log", 0, position))) for position in range(4)]
    moved = fresh(table(told[2:], partition=7), {})
    waiting = fresh(table(told[:2]), moved.paces)
    assert waiting.records["position"].to_pylist() == [0, 1]
    assert waiting.repeats == 0


def test_a_task_without_messages_has_no_rows() -> None:
    assert fresh(concatenated([]), {}).records.num_rows == 0


def test_a_capture_is_sent_as_a_shipper_sends_it() -> None:
    records = pa.table({"raw": [b"one\n", b"two\n"], "source": ["s", "s"], "position": [0, 4]})
    sent = messages({"s": records}, partitions=4, sent={})
    assert fresh(sent, {}).records.to_pylist() == records.to_pylist()
