"""Coverage-guided fuzzing (atheris, libFuzzer) of what reads hostile text.

    python tests/fuzz/readers.py canonical|units|verify|formats FOLDER [libFuzzer's options]

FOLDER keeps the inputs that reached something new. Where there is none it is made, with what the rules' tests
and the samples of log formats hold. Runs until a reader raises, breaks a promise below or takes more than the
seconds of `-timeout`; what did it is written to a file. Seeded and bounded: `-seed=1 -max_total_time=6`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import atheris
import yaml

with atheris.instrument_imports(
    include=["logvision.detect", "logvision.formats"], enable_loader_override=False
):
    import pyarrow as pa

    from logvision.columns import constant
    from logvision.detect.canonical import canonicalise, decode
    from logvision.detect.decoding import decode_text
    from logvision.detect.split import split
    from logvision.detect.units import Kind, Owners
    from logvision.detect.verify import verify, verify_all
    from logvision.formats import Formats
    from logvision.schema import RECORD

KINDS = (Kind.PATH, Kind.NAME, Kind.VALUE, Kind.AGENT, Kind.REFERER, Kind.URL)
HERE = Path(__file__).parent
RULES = HERE.parents[1] / "src" / "logvision" / "rules"
SAMPLES = HERE.parent / "samples" / "formats"
LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


def canonical(data: bytes) -> None:
    """The batch, the single text and the explained steps decode to the same; no text grows without bound."""
    for query in (False, True):
        text = decode_text(data, query=query)
        assert decode(data, query=query).text == text
        assert canonicalise(pa.array([data, b"", data]), query=query).to_pylist() == [text, b"", text]
        assert len(text) <= 3 * len(data) + 8


def units(data: bytes) -> None:
    """Every use names an owner and a unit that are there; units stand in order of their kind."""
    target, _, rest = data.decode("utf-8", "replace").partition("\n")
    agent, _, referer = rest.partition("\n")
    owners = Owners(*(pa.array([each]) for each in (target, agent, referer)))
    found = split(owners)
    assert len(found.texts) == len(found.kind) == len(found.ends)
    assert (found.kind[1:] >= found.kind[:-1]).all()
    assert len(found.owner) == len(found.unit)
    assert ((found.owner >= 0) & (found.owner < owners.size)).all()
    assert ((found.unit >= 0) & (found.unit < len(found))).all()


def reading(data: bytes) -> None:
    """Every reader answers with probabilities, wherever the text stands; and the same where marks are asked
    first."""
    for kind in KINDS:
        found = verify(data, kind)
        assert all(0 <= piece.strength <= 1 for piece in found)
        assert [list(each) for each in verify_all([data], [int(kind)])] == [found]


def formats(data: bytes) -> None:
    """Every line comes out once, as an event or as a reject, in order."""
    lines = data.split(b"\n")
    records = pa.table(
        [pa.array(lines, pa.binary()), constant("fuzz", len(lines)), pa.array(range(len(lines)), pa.int64())],
        schema=RECORD,
    )
    parsed = Formats().parse(records, LONG_AFTER)
    events, rejects = (part.column("position").to_pylist() for part in (parsed.events, parsed.rejects))
    assert events == sorted(events)
    assert sorted(events + rejects) == list(range(len(lines)))


def seeds(name: str, folder: Path) -> None:
    """Begins a folder of inputs: one file a text."""
    folder.mkdir(parents=True)
    if name == "formats":
        texts = [path.read_bytes()[:2000] for path in sorted(SAMPLES.iterdir()) if path.is_file()]
    else:
        rules = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yml"))]
        texts = [text.encode() for rule in rules for text in rule["logvision"]["tests"]["match"]]
    for number, text in enumerate(texts):
        (folder / f"{number:04}").write_bytes(text)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "canonical": canonical,
    "units": units,
    "verify": reading,
    "formats": formats,
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    if not Path(sys.argv[1]).exists():
        seeds(name, Path(sys.argv[1]))
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()
