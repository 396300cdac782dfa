"""Text that makes a target new: stamps, tokens, click ids, signatures, analytics beacons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from logvision.sources.generate.catalogue import Ints
from logvision.sources.generate.site import Fresh

HEX = b"0123456789abcdef"
URL_SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CLICKS = (
    "utm_source=google&utm_medium=cpc&utm_campaign=brand%7Cexact%7Cde&gclid=Cj0KCQiA",
    "utm_source=newsletter&utm_medium=email&utm_campaign=q4%2Flaunch&utm_content=O%27Brien&mc_eid=",
    "fbclid=IwZXh0bgNhZW0CMTEAAR",
    "utm_campaign=retarget%20%26%20remind&utm_term=%2Boak%20%2Bdesk&msclkid=",
    "ref=https%3A%2F%2Fnews.example.org%2F%3Fp%3D12%26from%3Dhome&ttclid=E.C.P.",
)

CODED = {"%": "%25", ":": "%3A", "/": "%2F", "?": "%3F", "&": "%26", "=": "%3D", "+": "%2B"}


def letters(rng: np.random.Generator, alphabet: bytes, rows: int, length: int) -> pl.Series:
    """Random text of one length; the cost is that of drawing its bytes."""
    table = np.frombuffer(alphabet, np.uint8)
    data = table[rng.integers(0, len(alphabet), rows * length, dtype=np.uint8)]
    offsets = np.arange(rows + 1, dtype=np.int32) * length
    text = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))
    return pl.Series(pl.from_arrow(text))


def suffixes(
    rng: np.random.Generator,
    kinds: Ints,
    joins: npt.NDArray[np.bool_],
    millis: Ints,
    page_urls: pl.Series,
) -> pl.Series:
    """What to append to each target.

    `kinds` are Fresh values other than NONE; `joins` says that the target has a query already;
    `millis` is Unix time in ms; `page_urls` the page that asks (read only by beacons).
    """
    found: list[pl.Series] = []
    places: list[Ints] = []
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        text = _text(Fresh(int(kind)), rng, millis[rows], page_urls.gather(rows))
        if kind not in (Fresh.NUMBER, Fresh.BEACON):
            mark = pl.Series(["?", "&"]).gather(joins[rows].astype(np.int64))
            text = mark + text
        found.append(text)
        places.append(rows)
    return pl.concat(found).gather(np.argsort(np.concatenate(places), kind="stable"))


def _text(kind: Fresh, rng: np.random.Generator, millis: Ints, page_urls: pl.Series) -> pl.Series:
    rows = millis.size
    match kind:
        case Fresh.TOKEN:
            return "cursor=" + letters(rng, HEX, rows, 22)
        case Fresh.CLICK:
            head = pl.Series(CLICKS).gather(rng.integers(0, len(CLICKS), rows))
            return head + letters(rng, URL_SAFE, rows, 48)
        case Fresh.SIGNED:
            expiry = pl.Series(millis // 1000 + 14_400).cast(pl.String)
            mark = letters(rng, URL_SAFE, rows, 86)
            return "Expires=" + expiry + "&Signature=" + mark + "__&Key-Pair-Id=K2JCJMDEHXQW5F"
        case Fresh.JWT:
            body, mark = letters(rng, URL_SAFE, rows, 64), letters(rng, URL_SAFE, rows, 43)
            return "token=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOi" + body + "." + mark
        case Fresh.NUMBER:
            return "/" + pl.Series(rng.integers(100_000, 4_000_000, rows)).cast(pl.String)
        case _:
            coded = page_urls.str.replace_many(list(CODED), list(CODED.values()))
            title = "&dt=Caf%C3%A9%20%7C%20it%27s%20%3C3&sr=1920x1080&_p="
            return "&dl=" + coded + title + pl.Series(millis).cast(pl.String)
