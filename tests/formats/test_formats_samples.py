"""Every format has sample lines, and each says in the comment above it what must come out.

A sample file is a log; `# {json}` above a line gives the columns that are not null and the format, or the
reason for a reject. Other lines that begin with `#` are the log's own headers.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from logvision.columns import constant
from logvision.formats import Formats, detect
from logvision.formats.catalogue import DIRECTIVES, ORDER
from logvision.schema import PARSED, RECORD, REJECT

SAMPLES = Path(__file__).parent.parent / "samples" / "formats"
FILES = sorted(SAMPLES.glob("*.log"))
READ_AT = datetime(2024, 1, 1, tzinfo=UTC)
TAILS = ("forwarded", "io", "duration", "timing", "ingress", "traefik", "extra")
WRAPPERS = ("syslog", "docker", "cri", "compose", "kubectl")


def records(lines: list[bytes], source: str = "a.log") -> pa.Table:
    return pa.table(
        [pa.array(lines, pa.binary()), constant(source, len(lines)), pa.array(range(len(lines)), pa.int64())],
        schema=RECORD,
    )


def samples(path: Path) -> list[tuple[bytes, dict[str, Any] | None]]:
    """(line, what must come out); None for the log's own header lines."""
    found: list[tuple[bytes, dict[str, Any] | None]] = []
    expected: dict[str, Any] | None = None
    for line in path.read_bytes().split(b"\n")[:-1]:
        if line.startswith(b"# {"):
            expected = json.loads(line[2:])
        else:
            found.append((line + b"\n", expected))
            expected = None
    return found


def outcomes(formats: Formats, lines: list[bytes]) -> list[dict[str, Any]]:
    """What became of every line, in the samples' own form but for the format."""
    parsed = formats.parse(records(lines), READ_AT)
    assert parsed.events.schema == PARSED
    assert parsed.rejects.schema == REJECT
    parsed.events.validate(full=True)
    found: dict[int, dict[str, Any]] = {}
    for row in parsed.events.drop_columns(["source"]).to_pylist():
        row["time"] = row["time"].isoformat().replace("+00:00", "Z")
        position = row.pop("position")
        found[position] = {key: value for key, value in row.items() if value is not None}
    for row in parsed.rejects.to_pylist():
        assert row["position"] not in found
        found[row["position"]] = {"reject": row["reason"]}
    return [found[index] for index in range(len(lines))]


def wanted(given: list[tuple[bytes, dict[str, Any] | None]]) -> list[dict[str, Any]]:
    return [
        {"reject": "directive"} if expected is None else {k: v for k, v in expected.items() if k != "format"}
        for _, expected in given
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sample_file_gives_what_its_comments_say(path: Path) -> None:
    given = samples(path)

    assert outcomes(Formats(), [line for line, _ in given]) == wanted(given)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_many_lines_read_in_bulk_give_the_same_as_each_alone(path: Path) -> None:
    given = samples(path)
    many = [line for line, _ in given] * 50

    assert outcomes(Formats(), many) == wanted(given) * 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_sample_line_is_known_by_its_format(path: Path) -> None:
    header: list[bytes] = []
    for line, expected in samples(path):
        if expected is None:
            header.append(line)
        elif "format" in expected:
            assert [name for name, _ in detect([*header, line])] == [expected["format"]]
        elif expected["reject"] != "bad_time":  # detection does not judge the clock
            assert detect([*header, line]) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_cut_anywhere_gives_the_same_events(path: Path) -> None:
    given = samples(path)
    lines = [line for line, _ in given]
    formats = Formats()

    assert [outcomes(formats, [line])[0] for line in lines] == wanted(given)


def test_no_format_is_without_a_sample() -> None:
    names = {one.name for one in ORDER} | {"w3c", "cloudfront"} | {f"combined+{tail}" for tail in TAILS}

    assert {path.stem for path in FILES} == names | set(WRAPPERS) | {"rejects"}


def test_every_name_stands_in_the_documentation() -> None:
    page = (SAMPLES.parent.parent.parent / "docs" / "formats.md").read_text()
    heads = {"vhost_", "site_", "virtualmin_", "lighttpd_", "forwarded_"}
    others = {
        one.name for one in ORDER if not one.name.startswith(tuple(heads)) and not one.name.endswith("_cut")
    }
    shown = {f"`{name}`" for name in others | DIRECTIVES.keys() | {"w3c", "cloudfront"}}
    shown |= {f"`{head}…`" for head in heads} | {f"`+{tail}`" for tail in TAILS} | {"`…_cut`"}

    assert {name for name in shown if name not in page} == set()


def test_all_samples_in_one_file_are_each_known_by_their_own_format() -> None:
    # Without W3C (a header changes what follows) and bare integers (their unit needs their neighbours).
    given = [
        sample
        for path in FILES
        if path.stem not in {"w3c", "cloudfront", "combined+duration"}
        for sample in samples(path)
    ]

    assert outcomes(Formats(), [line for line, _ in given] * 3) == wanted(given) * 3
