"""Messages out of a TCP stream of syslog: octet counting and newlines, per message (RFC 6587, 3.4)."""

from __future__ import annotations

from logvision.sources.base import LINE_LIMIT

COUNT_DIGITS = 9  # of an octet count; longer is not one


def lines(message: bytes) -> list[bytes]:
    """The lines of one message, without line ends and without empty ones."""
    return [line for part in message.split(b"\n") if (line := part.rstrip(b"\r"))]


class Frames:
    """Cuts one connection's bytes into messages without line ends.

    Of a message longer than LINE_LIMIT the first LINE_LIMIT bytes are given and the rest is skipped.
    A message that holds newlines becomes several: a record is one line.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0  # bytes of an over-long counted message that are still to be skipped
        self._skipping = False  # inside an over-long message that ends with a newline

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        messages: list[bytes] = []
        at = 0
        while (found := self._next(at)) is not None:
            message, at = found
            messages += lines(message)
        del self._buffer[:at]
        return messages

    def end(self) -> list[bytes]:
        """What stands unfinished when the connection ends."""
        skipped = self._skipping or self._left
        rest, self._buffer = bytes(self._buffer), bytearray()
        return lines(rest) if not skipped else []

    def _next(self, at: int) -> tuple[bytes, int] | None:
        """The message at an offset of the buffer and where the next one starts; None: not all there."""
        held = len(self._buffer) - at
        if held == 0:
            return None
        if self._left:
            skipped = min(self._left, held)
            self._left -= skipped
            return b"", at + skipped
        start, count = self._count(at)
        return self._line(at) if count is None or self._skipping else self._counted(start, count)

    def _counted(self, start: int, count: int) -> tuple[bytes, int] | None:
        kept = min(count, LINE_LIMIT)
        if len(self._buffer) - start < kept:
            return None
        self._left = count - kept
        return bytes(self._buffer[start : start + kept]), start + kept

    def _line(self, at: int) -> tuple[bytes, int] | None:
        newline = self._buffer.find(b"\n", at)
        end = newline if newline >= 0 else len(self._buffer)
        if newline < 0 and not self._skipping and end - at < LINE_LIMIT:
            return None
        message = b"" if self._skipping else bytes(self._buffer[at : min(end, at + LINE_LIMIT)])
        self._skipping = newline < 0
        return message, end + (newline >= 0)

    def _count(self, at: int) -> tuple[int, int | None]:
        """Where a counted message starts and how long it is; None: it ends with a newline instead."""
        space = self._buffer.find(b" ", at, at + COUNT_DIGITS + 1)
        digits = self._buffer[at:space] if space > at else b""
        # A priority must follow: a line of a log that begins with a number is not taken for a count.
        if (
            not digits.isdigit()
            or digits[:1] == b"0"
            or bytes(self._buffer[space + 1 : space + 2]) not in (b"<", b"")
        ):
            return at, None
        return space + 1, int(digits)
