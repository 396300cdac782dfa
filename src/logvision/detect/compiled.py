"""Compiled rules kept on disk: reading and compiling take seconds, loading what came of it a tenth of one.

An entry of another machine or out of date is no entry.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import hyperscan
import orjson

from logvision import entries
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
from logvision.errors import Problem
from logvision.schema import Attack, Severity

_MAKERS: Final = (
    "pattern.py",
    "reading.py",
    "conditions.py",
    "foreign.py",
    "rules.py",
    "database.py",
    "../search.py",
    "plan.py",
    "units.py",
    "compiled.py",
)
"""Our own files that decide what an entry holds."""


def opened(paths: Sequence[Path], folder: Path | None) -> Signatures:
    """The compiled rules of these files and folders, from an entry in the folder if there is one.

    Raises RuleError as RuleSet.load does.
    """
    if folder is None:
        return compiled(paths)
    missing: list[Problem] = []
    entry = folder / f"rules-{_key(paths, missing)}.bin"
    found = None if missing else _loaded(entry)  # the reader of rules tells what is missing
    if found is not None:
        return found
    signatures = compiled(paths)
    with contextlib.suppress(OSError):  # a list that is gone by now: there is nothing to keep
        _keep(entry, signatures)
    return signatures


def compiled(paths: Sequence[Path]) -> Signatures:
    """The same, read and compiled now; seconds."""
    try:
        return Signatures(RuleSet.load(paths, trying=False))
    except hyperscan.error:
        RuleSet.load(paths)  # tells which patterns it is
        raise


def _key(paths: Sequence[Path], missing: list[Problem]) -> str:
    digest = hashlib.sha256()
    for name in ("hyperscan", "pysigma", "pyyaml"):
        digest.update(f"{name} {version(name)}\n".encode())
    here = Path(__file__).parent
    for path in (*(here / name for name in _MAKERS), *rule_files(paths, missing)):
        # What cannot be read is said by the reader of rules.
        with contextlib.suppress(OSError):
            digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def _loaded(entry: Path) -> Signatures | None:
    parts = entries.load(entry)
    if parts is None:
        return None
    try:
        head = orjson.loads(parts[0])
        for name, digest in head["lists"]:
            if hashlib.sha256(Path(name).read_bytes()).hexdigest() != digest:
                return None
        # Hyperscan holds a database against a checksum of its own.
        databases = [(*read_by, dumped) for read_by, dumped in zip(head["databases"], parts[1:], strict=True)]
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
            "databases": [(kinds, turn) for kinds, turn, _ in databases],
        }
    )
    entries.keep(entry, head, *(dumped for _, _, dumped in databases))


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
        "patterns": [(p.expressions, p.caseless, p.rule) for p in rules.patterns],
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
        tuple(Pattern(tuple(texts), caseless, rule) for texts, caseless, rule in plain["patterns"]),
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
