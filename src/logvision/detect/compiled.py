"""Compiled rules kept on disk: reading and compiling take seconds, loading what came of it a tenth of one.

An entry is one file of numbers and text, with nothing in it to run, named by a digest of all it was made
from. An entry that is damaged, of another machine or out of date is no entry; a folder that cannot be
written to keeps none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import hyperscan
import orjson

from logvision.detect.rules import (
    All,
    AnyOf,
    Atom,
    Condition,
    Like,
    Not,
    Pattern,
    Rule,
    RuleSet,
    Same,
    Tests,
    Unusable,
    rule_files,
)
from logvision.detect.signature import Signatures
from logvision.detect.units import Kind
from logvision.schema import Attack, Severity

KEPT_BYTES: Final = 64 << 20
"""Size of the entries in a folder, B; those not used for longest go. The shipped rules take about 8 MB."""

_MAKERS: Final = (
    "pattern.py",
    "reading.py",
    "conditions.py",
    "foreign.py",
    "rules.py",
    "database.py",
    "units.py",
    "compiled.py",
)
"""Our own files that decide what an entry holds."""

_DIGEST: Final = 32


def user_folder(environment: Mapping[str, str]) -> Path | None:
    """Where this user's programs keep what they can make again (XDG base directories); None: nowhere."""
    stated = environment.get("XDG_CACHE_HOME", "")
    if stated.startswith("/"):
        return Path(stated) / "logvision"
    home = environment.get("HOME", "")
    return Path(home) / ".cache" / "logvision" if home.startswith("/") else None


def opened(paths: Sequence[Path], folder: Path | None) -> Signatures:
    """The compiled rules of these files and folders, from an entry in the folder if there is one.

    Raises RuleError as RuleSet.load does.
    """
    if folder is None:
        return Signatures(RuleSet.load(paths))
    entry = folder / f"rules-{_key(paths)}.bin"
    found = _loaded(entry)
    if found is not None:
        return found
    signatures = Signatures(RuleSet.load(paths))
    # Without an entry the next start takes longer, and that is all.
    with contextlib.suppress(OSError):
        _keep(entry, signatures)
    return signatures


def _key(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for name in ("hyperscan", "pysigma", "pyyaml"):
        digest.update(f"{name} {version(name)}\n".encode())
    here = Path(__file__).parent
    for path in (*(here / name for name in _MAKERS), *rule_files(paths, [])):
        # What cannot be read is said by the reader of rules.
        with contextlib.suppress(OSError):
            digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def _loaded(entry: Path) -> Signatures | None:
    try:
        content = memoryview(entry.read_bytes())
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return None
        size = int.from_bytes(content[_DIGEST : _DIGEST + 8], "little")
        at = _DIGEST + 8 + size
        head = orjson.loads(content[_DIGEST + 8 : at])
        for name, digest in head["lists"]:
            if hashlib.sha256(Path(name).read_bytes()).hexdigest() != digest:
                return None
        databases = []
        for kinds, odd, length in head["databases"]:
            databases.append((kinds, odd, bytes(content[at : at + length])))
            at += length
        with contextlib.suppress(OSError):  # the time of last use; without it the entry goes sooner
            os.utime(entry)
        return Signatures(_rules(head["rules"]), databases)
    except (OSError, hyperscan.error):
        return None


def _keep(entry: Path, signatures: Signatures) -> None:
    databases = signatures.dump()
    head = orjson.dumps(
        {
            "rules": _plain(signatures.rules),
            "lists": [
                (str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in signatures.rules.lists
            ],
            "databases": [(kinds, odd, len(dumped)) for kinds, odd, dumped in databases],
        }
    )
    body = b"".join([len(head).to_bytes(8, "little"), head, *(dumped for _, _, dumped in databases)])
    entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".new", delete=False) as out:
        try:
            out.write(hashlib.sha256(body).digest())
            out.write(body)
            out.flush()
            Path(out.name).replace(entry)
        except OSError:
            Path(out.name).unlink(missing_ok=True)
            raise
    tidy(entry.parent)


def tidy(folder: Path, limit: int = KEPT_BYTES) -> None:
    """Remove what is over the limit, newest use first kept; other processes may do the same meanwhile."""
    found: list[tuple[float, int, Path]] = []
    for each in folder.glob("rules-*.bin"):
        with contextlib.suppress(FileNotFoundError):
            about = each.stat()
            found.append((about.st_mtime, about.st_size, each))
    total = 0
    for _, size, each in sorted(found, reverse=True):
        total += size
        if total > limit:
            each.unlink(missing_ok=True)


def _plain(rules: RuleSet) -> dict[str, Any]:
    return {
        "rules": [
            {
                "id": rule.id, "title": rule.title, "attack": rule.attack.value,
                "severity": rule.severity.value, "confidence": rule.confidence,
                "condition": _tree(rule.condition), "scope": rule.scope, "tags": rule.tags,
                "tests": asdict(rule.tests), "path": str(rule.path),
            }
            for rule in rules.rules
        ],
        "patterns": [(p.id, p.expression, p.caseless, p.rule) for p in rules.patterns],
        "unusable": [(each.id, str(each.path), each.needs) for each in rules.unusable],
        "version": rules.version,
        "lists": [str(path) for path in rules.lists],
    }  # fmt: skip


def _rules(plain: dict[str, Any]) -> RuleSet:
    return RuleSet(
        tuple(
            Rule(
                each["id"], each["title"], Attack(each["attack"]), Severity(each["severity"]),
                each["confidence"], _condition(each["condition"]), each["scope"], tuple(each["tags"]),
                Tests(*(tuple(each["tests"][key]) for key in ("match", "passes"))), Path(each["path"]),
            )
            for each in plain["rules"]
        ),
        tuple(Pattern(*each) for each in plain["patterns"]),
        tuple(Unusable(name, Path(path), needs) for name, path, needs in plain["unusable"]),
        plain["version"],
        tuple(map(Path, plain["lists"])),
    )  # fmt: skip


def _tree(condition: Condition) -> list[Any]:
    match condition:
        case Atom(number, kinds):
            return ["atom", number, int(kinds)]
        case Same(column, values):
            return ["same", column, values]
        case Like(column, expression, caseless):
            return ["like", column, expression, caseless]
        case All(parts):
            return ["all", [_tree(part) for part in parts]]
        case AnyOf(parts):
            return ["any", [_tree(part) for part in parts]]
        case Not(part):
            return ["not", _tree(part)]


def _condition(tree: list[Any]) -> Condition:
    match tree:
        case ["atom", number, kinds]:
            return Atom(number, Kind(kinds))
        case ["same", column, values]:
            return Same(column, tuple(values))
        case ["like", column, expression, caseless]:
            return Like(column, expression, caseless)
        case ["all", parts]:
            return All(tuple(_condition(part) for part in parts))
        case ["any", parts]:
            return AnyOf(tuple(_condition(part) for part in parts))
        case ["not", part]:
            return Not(_condition(part))
    raise ValueError(tree)
