"""Behaviour: what no single request shows. Every scenario is a leaky bucket per actor over event time."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logvision import columns
from logvision.detect import alerts, filters, scenarios
from logvision.detect.buckets import (
    FILLS,
    NOTHING,
    RELIEVES,
    Buckets,
    Events,
    Keys,
    Kinds,
    Mask,
    Overflow,
    Size,
    mixed,
)
from logvision.detect.scenarios import Scenario
from logvision.detect.shapes import Shapes
from logvision.enrich.crawlers import Crawlers
from logvision.entries import user_folder
from logvision.schema import ALERT, EVIDENCE_KEPT, Attack, Outcome

GAVE_WAY: Final = 0.2
"""Share of a flood's answers that must be errors, or refusals, to say that it worked, or was blocked."""


class Behaviour:
    """Runs scenarios over batches of events; used by one thread.

    The same events give the same alerts however they are cut into batches: rows with equal rule,
    actor, site and `first_seen` are one alert, their `events` add up. Memory is bounded by
    BUCKETS_KEPT and VALUES_KEPT a scenario, whatever the traffic.
    """

    def __init__(self, rules: Sequence[Scenario]) -> None:
        self._rules = tuple(rules)
        self._buckets = {
            rule.id: Buckets(
                Size(
                    rule.capacity,
                    rule.leak_us,
                    rule.hold_off_us,
                    round(rule.relief_by * rule.leak_us),
                    rule.memory_us,
                )
            )
            for rule in rules
        }
        self._newest = 0
        asked = dict.fromkeys(f for r in rules for f in (r.fills, r.relieves, r.worked) if f is not None)
        self._shapes = Shapes(list(asked))
        self._place = {condition: place for place, condition in enumerate(asked)}
        self._fills = np.array([self._place[rule.fills] for rule in rules], np.int64)
        relieves = [-1 if rule.relieves is None else self._place[rule.relieves] for rule in rules]
        self._relieves = np.array(relieves, np.int64)  # -1: nothing does
        # Reading the addresses of crawlers takes a moment, which only a rule that asks needs.
        asks = any(filters.reads(f, filters.CLAIM) for r in rules for f in (r.fills, r.relieves) if f)
        self._crawlers = Crawlers() if asks else None

    @classmethod
    def open(cls, folders: Iterable[Path] = ()) -> Self:
        """The shipped scenarios and those of more folders. Raises SetupError with every mistake.

        What their files say is kept in the user's cache folder.
        """
        return cls(scenarios.load([scenarios.shipped(), *folders], user_folder(os.environ)))

    def step(self, events: pa.Table, claims: pa.Array | None = None) -> pa.Table:
        """ALERT rows of what these events overflowed; EVENT rows in the order in which they were read.

        `claims`: those of the method, of events whose addresses were replaced since; null: looked up.
        """
        if not events.num_rows:
            return ALERT.empty_table()
        if self._crawlers is not None:
            claims = self._claims(events) if claims is None else claims
            events = events.append_column(filters.CLAIM, claims)
        batch = _Batch(events)
        # A date in the far future must not make all buckets look drained: the middle counts.
        self._newest = max(self._newest, int(np.median(batch.times)))
        fits, batch.shape = self._shapes.of(events)
        found: list[dict[str, Any]] = []
        effects = self._effects(fits)
        for rule, does, strongest in zip(self._rules, effects, effects.min(1, initial=NOTHING), strict=True):
            if strongest > (RELIEVES if len(self._buckets[rule.id]) else FILLS):
                continue
            worked = None if rule.worked is None else fits[:, self._place[rule.worked]]
            found += [_alert(rule, batch, over, worked) for over in self._pour(rule, batch, does)]
        return _alerts(found, events)

    def _effects(self, fits: Mask) -> Kinds:
        """What events of each shape do to the buckets of each scenario, a row per scenario."""
        relieves = fits.T[self._relieves] & (self._relieves >= 0)[:, None]
        return np.where(fits.T[self._fills], FILLS, np.where(relieves, RELIEVES, NOTHING)).astype(np.uint8)

    def claims(self, events: pa.Table) -> pa.DictionaryArray | None:
        """What the addresses say of crawlers, a `crawlers.Claim` or null per row; None: no scenario asks.

        Changes nothing and may be called from another thread.
        """
        return None if self._crawlers is None else self._claims(events)

    def _claims(self, events: pa.Table) -> pa.DictionaryArray:
        assert self._crawlers is not None
        bots, codes = columns.distinct(events, "bot")
        crawls = np.append(pc.starts_with(bots, "search:").to_numpy(zero_copy_only=False), False)
        rows = np.flatnonzero(crawls[codes])
        if not rows.size:
            return columns.constant(None, events.num_rows)
        some = events.select(["bot", "client_ip"]).take(pa.array(rows))
        found = self._crawlers.claims(
            some["bot"].cast(pa.string()).combine_chunks(),
            some["client_ip"].cast(pa.string()).combine_chunks(),
        )
        of_row = np.full(events.num_rows, -1, np.int32)
        of_row[rows] = found.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return columns.text(found.dictionary, of_row)

    def _pour(self, rule: Scenario, batch: _Batch, effects: Kinds) -> list[Overflow]:
        names, actor = batch.actors(rule.key)
        value = hashes = None
        if rule.distinct is not None:
            value, hashes = batch.texts(rule.distinct)[1], batch.hashes(rule.distinct)
        events = Events(batch.shape, batch.times, actor, names, value, hashes)
        return self._buckets[rule.id].pour(events, effects, self._newest)

    def snapshot(self) -> bytes:
        """Everything that a restart needs."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for rule in self._rules:
            arrays |= {
                f"{rule.id}/{name}": array for name, array in self._buckets[rule.id].snapshot().items()
            }
        head = {"newest": self._newest, "hashes": columns.HASHED_BY, "rules": _fingerprints(self._rules)}
        arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
        out = io.BytesIO()
        np.savez(out, **arrays)  # type: ignore[arg-type]
        return out.getvalue()

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot. A scenario that has changed since starts with empty buckets, and so do
        all when text is hashed in another way now."""
        with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes())
            self._newest = head["newest"]
            if head["hashes"] != columns.HASHED_BY:
                return
            now = _fingerprints(self._rules)
            for rule in self._rules:
                if head["rules"].get(rule.id) != now[rule.id]:
                    continue
                places = {name: f"{rule.id}/{name}" for name in ("keys", "state", "values", "times")}
                self._buckets[rule.id].restore(
                    **{name: arrays[place] for name, place in places.items() if place in arrays}
                )


class _Batch:
    """A table of events, with hashes made once per distinct value and shared by all scenarios."""

    def __init__(self, events: pa.Table) -> None:
        self.events = events
        self.times = events["time"].cast(pa.int64()).to_numpy()
        self.status = pc.fill_null(events["status"], 0).to_numpy()
        self._hashes: dict[str, Keys] = {}
        self.shape = np.zeros(events.num_rows, np.int64)  # of which filters say the same
        self._actors: dict[tuple[str, ...], tuple[Keys, columns.Codes]] = {}
        self._texts: dict[str, tuple[pa.StringArray, columns.Codes]] = {}

    def texts(self, part: str) -> tuple[pa.StringArray, columns.Codes]:
        """Distinct values of a part of a key, and which one each row has (-1: null)."""
        if part == "net":
            return self.texts("client_ip")  # named by the address until `name`
        if part not in self._texts:
            if part == "asn":
                numbers = self.events["asn"].combine_chunks().dictionary_encode()
                codes = numbers.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
                self._texts[part] = numbers.dictionary.cast(pa.string()), codes
            elif part == scenarios.ASKED:
                self._texts[part] = _asked(
                    self.texts("route"), self.texts("path"), columns.distinct(self.events, "kind")
                )
            else:
                self._texts[part] = columns.distinct(self.events, part)
        return self._texts[part]

    def hashes(self, part: str) -> Keys:
        """A hash of each distinct value, null last; equal in processes of equal `columns.HASHED_BY`."""
        if part not in self._hashes:
            values = self.texts(part)[0]
            texts = _networks(values) if part == "net" else values
            if part == scenarios.ASKED:  # the hashes of routes and paths, which others use as well
                self._hashes[part] = np.concatenate([self.hashes("route")[:-1], self.hashes("path")])
            else:
                self._hashes[part] = np.append(columns.hashes(texts, 7), np.uint64(1))
        return self._hashes[part]

    def actors(self, parts: tuple[str, ...]) -> tuple[Keys, columns.Codes]:
        """The distinct keys of these parts, as hashes, and which one each row has; -1: none.

        No scenario is about nobody, but a log without sites is of one site.
        """
        if parts not in self._actors:
            keys = np.zeros(self.times.size, np.uint64)
            for part in parts:
                mixed(keys, self.texts(part)[1], self.hashes(part))
            rows, codes = columns.firsts(keys.view(np.int64))
            if parts[0] != "site":
                codes[self.texts(parts[0])[1] < 0] = -1
            self._actors[parts] = keys[rows], codes
        return self._actors[parts]

    def value(self, part: str, row: int) -> str | None:
        values, codes = self.texts(part)
        text = None if codes[row] < 0 else str(values[int(codes[row])])
        return network_of(text) if part == "net" else text


_Column = tuple[pa.StringArray, columns.Codes]


def _asked(routes: _Column, paths: _Column, kinds: _Column) -> _Column:
    """What each row asked for: its route, or its path where the route only says that it is some word.

    Names that a site does not have all fold into one route, so who guesses names asks for many things.
    Calls of an API stay routes: applications ask for what is gone.
    """
    loose = np.append(pc.match_substring_regex(routes[0], r"\{(?:slug|rest)\}").to_numpy(False), False)
    api = np.append(pc.equal(kinds[0], "api").to_numpy(False), False)
    of_path = loose[routes[1]] & ~api[kinds[1]] & (paths[1] >= 0)
    codes = np.where(of_path, paths[1] + len(routes[0]), routes[1])
    return pa.concat_arrays([routes[0], paths[0]]), codes.astype(np.int32)


def network_of(address: str | None) -> str | None:
    """The /24 of an IPv4 address, the /48 of an IPv6 address, both as canonical text.

    What is no address (any more: see `lake.anonymise`) is a network of its own.
    """
    if address is None:
        return None
    if ":" not in address:
        head, dot, _ = address.rpartition(".")
        return f"{head}.0/24" if dot else address
    head, gap, _ = address.partition("::")
    groups = head.split(":")
    groups = groups[:3] if len(groups) > 3 or not gap else (groups + ["0"] * 3)[:3]
    while groups and groups[-1] in ("0", ""):
        groups.pop()
    return f"{':'.join(groups)}::/48"


def _networks(addresses: pa.StringArray) -> pa.StringArray:
    """`network_of` each address; at once for IPv4."""
    long = pc.match_substring(addresses, ":")
    short = pc.replace_substring_regex(addresses, r"\.[0-9]+$", ".0/24")
    if not pc.any(long).as_py():
        return short
    named = [network_of(address) for address in addresses.filter(long).to_pylist()]
    return pc.replace_with_mask(short, long, pa.array(named, pa.string()))


def _alert(rule: Scenario, batch: _Batch, over: Overflow, worked: Mask | None) -> dict[str, Any]:
    row = int(over.rows[-1])
    actor = f"{rule.actor_kind}:{batch.value(rule.key[0], row) or '-'}"
    return {
        "detector": "behaviour",
        "rule": rule.id,
        "attack": rule.attack.value,
        "severity": rule.severity.value,
        "score": rule.confidence,
        "actor": actor,
        "site": batch.value("site", row) if "site" in rule.key else None,
        "outcome": _outcome(rule, batch, over, worked).value,
        "first_seen": over.first,
        "last_seen": over.last,
        "events": over.events,
        "evidence": over.rows[-EVIDENCE_KEPT:],
        "explanation": f"{rule.title}: {over.events} requests within {_span(over.last - over.first)}.",
    }


def _outcome(rule: Scenario, batch: _Batch, over: Overflow, worked: Mask | None) -> Outcome:
    """What the scenario says; of a flood, whether the server held, gave way or shut the door.

    `worked`: which shapes of events say that it worked.
    """
    if worked is not None and worked[batch.shape[over.rows]].any():
        return Outcome.WORKED
    status = batch.status[over.rows]
    if rule.outcome is Outcome.UNKNOWN and np.all((status == 404) | (status == 410)):
        return Outcome.MISSED
    if rule.attack is not Attack.FLOOD:
        return rule.outcome
    if np.mean(status >= 500) > GAVE_WAY:
        return Outcome.WORKED
    return Outcome.BLOCKED if np.mean((status == 403) | (status == 429)) > GAVE_WAY else Outcome.MISSED


def _alerts(found: Sequence[dict[str, Any]], events: pa.Table) -> pa.Table:
    """ALERT rows; `evidence` is given as rows of these events."""
    if not found:
        return ALERT.empty_table()
    told = {name: [alert[name] for alert in found] for name in ALERT.names}
    sizes = np.array([rows.size for rows in told["evidence"]])
    return alerts.table_of(
        told | {"evidence": alerts.evidence_at(events, np.concatenate(told["evidence"]), sizes)}
    )


def _fingerprints(rules: Sequence[Scenario]) -> dict[str, str]:
    """What makes two scenarios share buckets: all but their words and tests."""
    return {
        r.id: repr(
            (r.fills, r.key, r.distinct, r.capacity, r.leak_us, r.hold_off_us, r.relieves, r.relief_by)
        )
        for r in rules
    }


def _span(us: int) -> str:
    seconds = us // 1_000_000
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}s"
    return f"{seconds + 1} seconds" if seconds else "a second"
