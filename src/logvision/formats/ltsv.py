"""LTSV: tab-joined `label:value`, the labels of ltsv.org's recommendation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LABELS: Final[dict[bytes, str]] = {
    b"time": "time",
    b"time_local": "time",
    b"host": "peer",
    b"remote_addr": "peer",
    b"forwardedfor": "forwarded",
    b"xff": "forwarded",
    b"user": "user",
    b"req": "request",
    b"request": "request",
    b"method": "method",
    b"uri": "target",
    b"request_uri": "target",
    b"protocol": "protocol",
    b"status": "status",
    b"size": "bytes",
    b"body_bytes_sent": "bytes",
    b"referer": "referer",
    b"ua": "user_agent",
    b"vhost": "site",
    b"reqtime_microsec": "duration_us",
    b"reqtime": "duration_s",
    b"request_time": "duration_s",
}


@dataclass(frozen=True, slots=True)
class LtsvFormat:
    name: str = "ltsv"
    plan: None = None

    def read(self, line: bytes) -> dict[str, bytes] | None:
        """Field name to raw text, or None: not LTSV, or without a time or a request."""
        if b"\t" not in line:
            return None
        values: dict[str, bytes] = {}
        for piece in line.split(b"\t"):
            label, colon, value = piece.partition(b":")
            name = LABELS.get(label)
            if name is not None and colon and name not in values:
                values[name] = value
        if "time" not in values or not ("request" in values or "target" in values):
            return None
        moment = values["time"]
        if moment[:1] == b"[" and moment[-1:] == b"]":
            values["time"] = moment[1:-1]
        return values
