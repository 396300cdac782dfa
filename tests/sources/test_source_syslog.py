from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logvision.clock import SettableClock
from logvision.errors import SetupError
from logvision.sources import syslog
from logvision.sources.base import LINE_LIMIT
from logvision.sources.framing import Frames
from logvision.sources.syslog import SyslogReader, SyslogSource

NGINX = b'<190>Nov 23 07:00:00 web nginx: 203.0.113.7 - - [23/Nov/2026:07:00:00 +0000] "GET / HTTP/1.1" 200 5'
RFC5424 = (
    b'<165>1 2026-11-23T07:00:00Z web nginx - - - ::1 - - [23/Nov/2026:07:00:00 +0000] "GET / HTTP/1.1" 200 5'
)


@pytest.fixture
def reader() -> Iterator[SyslogReader]:
    opened = SyslogSource("127.0.0.1", 0).open({})
    yield opened
    opened.close()


def receive(reader: SyslogReader, count: int) -> list[tuple[str, int, bytes]]:
    """So many records, or what came of them within five seconds."""
    found: list[tuple[str, int, bytes]] = []
    until = time.monotonic() + 5
    while len(found) < count and time.monotonic() < until:
        for batch in reader.read(1 << 20):
            rows = batch.records.to_pydict()
            found += zip(rows["source"], rows["position"], rows["raw"], strict=True)
    return found


def send(reader: SyslogReader, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", reader.port)) as connection:
        connection.sendall(data)


def test_each_datagram_is_a_record_with_its_header(reader: SyslogReader) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for message in (NGINX, b"", RFC5424 + b"\n", b"<1>a\nb"):
            sender.sendto(message, ("127.0.0.1", reader.port))
    name = f"syslog:udp://127.0.0.1:{reader.port}"
    assert receive(reader, 4) == [(name, 0, NGINX), (name, 1, RFC5424), (name, 2, b"<1>a"), (name, 3, b"b")]


def test_tcp_takes_counted_and_newline_messages_in_one_connection(reader: SyslogReader) -> None:
    send(reader, NGINX + b"\n" + b"%d %s" % (len(RFC5424), RFC5424) + b"<1>x\r\n<1>unfinished")
    name = f"syslog:tcp://127.0.0.1:{reader.port}"
    assert receive(reader, 4) == [
        (name, 0, NGINX),
        (name, 1, RFC5424),
        (name, 2, b"<1>x"),
        (name, 3, b"<1>unfinished"),
    ]


def test_after_a_restart_the_sequence_goes_on(reader: SyslogReader) -> None:
    name = f"syslog:udp://127.0.0.1:{reader.port}"
    reader.close()
    again = SyslogSource("127.0.0.1", reader.port).open({name: {"next": 7}})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(NGINX, ("127.0.0.1", again.port))
    assert receive(again, 1) == [(name, 7, NGINX)]
    again.close()


def test_what_the_kernel_drops_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog, "RECEIVE", 1 << 14)
    opened = SyslogSource("127.0.0.1", 0, tcp=False, clock=SettableClock()).open({})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(500):
            sender.sendto(NGINX, ("127.0.0.1", opened.port))
        (batch,) = opened.read(1 << 20)
        sender.sendto(NGINX, ("127.0.0.1", opened.port))
        (one,) = opened.read(1 << 20)
    dropped = opened.status()[0].extra["dropped"]
    assert batch.records.num_rows + one.records.num_rows + dropped == 501
    assert dropped > 0
    opened.close()


def test_more_connections_than_there_is_room_for_are_refused(
    reader: SyslogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "CONNECTIONS", 1)
    with (
        socket.create_connection(("127.0.0.1", reader.port)) as first,
        socket.create_connection(("127.0.0.1", reader.port)),
    ):
        first.sendall(b"<1>one\n")
        assert [raw for _, _, raw in receive(reader, 1)] == [b"<1>one"]
        until = time.monotonic() + 5
        while not reader.status()[0].extra["refused"] and time.monotonic() < until:
            reader.read(1)
    assert reader.status()[0].extra["refused"] == 1


def test_unfinished_messages_of_all_connections_together_are_bounded(
    reader: SyslogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "PENDING", 1000)
    with socket.create_connection(("127.0.0.1", reader.port)) as connection:
        connection.sendall(b"x" * 2000)
        assert [len(raw) for _, _, raw in receive(reader, 1)] == [2000]
    assert reader.status()[0].extra == {"connections": 0, "refused": 1}


def test_a_port_that_is_taken_is_told(reader: SyslogReader) -> None:
    with pytest.raises(SetupError, match="Address already in use"):
        SyslogSource("127.0.0.1", reader.port).open({})
    with pytest.raises(SetupError, match="neither udp nor tcp"):
        SyslogSource("127.0.0.1", 0, udp=False, tcp=False).open({})


MESSAGES = st.lists(
    st.binary(min_size=1, max_size=20).map(lambda data: b"<1>" + data.replace(b"\n", b"").rstrip(b"\r"))
)


@given(MESSAGES, st.data())
def test_frames_come_out_whole_however_the_stream_is_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(
        b"%d %s" % (len(message), message) if data.draw(st.booleans()) else message + b"\n"
        for message in messages
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    frames = Frames()
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += frames.feed(stream[start:end])
    assert found + frames.end() == messages


@pytest.mark.parametrize("head", [b"%d <1>" % (2 * LINE_LIMIT + 3), b"<1>"])
def test_an_over_long_message_keeps_its_head(head: bytes) -> None:
    frames = Frames()
    body = b"x" * (2 * LINE_LIMIT)
    ending = b"" if head[:1].isdigit() else b"\n"
    found = [message for piece in (head, body, ending + b"<1>next\n") for message in frames.feed(piece)]
    assert found == [b"<1>" + body[: LINE_LIMIT - 3], b"<1>next"]
    assert frames.size == 0
