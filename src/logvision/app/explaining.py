"""Why a line was judged as it was, from its raw bytes on."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa

from logvision.app.stores import site_of
from logvision.casebook.base import Casebook
from logvision.detect import Detector
from logvision.detect.explain import explain
from logvision.detect.profiles import Profiles
from logvision.detect.site import Site
from logvision.enrich import agent, client, network, request
from logvision.entries import user_folder
from logvision.formats import parse_line
from logvision.incident import from_iso
from logvision.pipeline import Knowledge
from logvision.schema import PARSED, TEXT


def explain_line(
    line: str, known: Knowledge, source: str = "lines", casebook: Casebook | None = None
) -> dict[str, Any]:
    """The explanation of one line by a process that judges nothing else meanwhile; see `Explainer`."""
    return Explainer(known, known.agents, casebook).explain(line, source)


class Explainer:
    """Explains lines, from any thread, also while an engine runs on the same knowledge.

    Nothing is learned from the lines. What cannot be shared with the engine is made anew: agents have
    one scratch space. What was learned of the site is taken as the engine last
    saved it: at most a minute old.
    """

    def __init__(
        self, known: Knowledge, agents: agent.Agents | None = None, casebook: Casebook | None = None
    ) -> None:
        """`agents`: those of nobody else. `casebook`: where the site's own normal and exceptions are kept;
        None: nothing is known of the site."""
        self._known = known
        self._agents = agents
        self._casebook = casebook
        self._lock = threading.Lock()

    @property
    def detector(self) -> Detector:
        """That it explains with."""
        return self._known.detector

    def explain(
        self, line: str, source: str = "lines", about: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The whole explanation of a raw line, JSON-ready.

        Keys: `line`, `format`, `confidence`, `reason` (of a line that is no event; then nothing else),
        `event` (its columns), `steps` (decoding of the unit that decided), `target_spans` (where the
        target as logged matched, in characters), and those of `detect.explain.Explanation`. `source`
        chooses the pinned format, `about` are columns that are known better than the line says them.
        Bytes that are not UTF-8 come as surrogate escapes, as in `sys.argv`.
        """
        raw = line.encode("utf-8", "surrogateescape").rstrip(b"\r\n")
        parsed = parse_line(raw, self._known.formats, source)
        said = {
            "line": raw.decode("utf-8", "backslashreplace"),
            "format": parsed["format"],
            "confidence": parsed["confidence"],
            "reason": parsed["reason"],
        }
        if parsed["fields"] is None:
            return said
        with self._lock:
            routes, site = self._learned()
            event = self._enriched(parsed["fields"], routes) | dict(about or {})
        at = from_iso(event["time"]) if event["time"] else None
        found = explain({**event, "time": at}, self._known.detector, site).to_dict()
        event |= {name: found[name] for name in ("score", "attack", "rules", "outcome")}
        return {
            **said,
            "event": event,
            **found,
            "steps": _steps(found["units"]),
            "target_spans": _target_spans(event["target"] or "", found["units"]),
        }

    def _learned(self) -> tuple[request.Routes, Site]:
        """Routes and site as they were last saved."""
        if self._casebook is None:
            return request.Routes(), Site(Profiles())
        routes = self._casebook.load_state("routes")
        return (
            request.Routes() if routes is None else request.Routes.restore(orjson.loads(routes)),
            site_of(self._casebook),
        )

    def _enriched(self, fields: Mapping[str, Any], routes: request.Routes) -> dict[str, Any]:
        """The fields with those that enrichment adds."""
        if self._agents is None:
            self._agents = agent.Agents(user_folder(os.environ))
        plain = pa.schema([f.with_type(pa.string()) if f.type == TEXT else f for f in PARSED])
        row = {**fields, "source": "", "position": 0, "time": None}
        table = pa.Table.from_pylist([row], schema=_nullable(plain)).cast(_nullable(PARSED))
        table = client.resolve(table, self._known.proxies)
        table = network.add(table, self._known.networks)
        table = agent.add(table, self._agents)
        table = request.add(table, routes)
        made: dict[str, Any] = table.drop_columns(["source", "position"]).to_pylist()[0]
        return made | {"time": fields["time"]}


def _nullable(schema: pa.Schema) -> pa.Schema:
    """Time stays the text that `parse_line` gave, so the column is empty."""
    return pa.schema([f.with_nullable(True) for f in schema])


def _steps(units: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Each decoding of the unit that decided, with the text before it."""
    if not units:
        return []
    texts = [text for _, text in units[0]["decoding"]]
    names = [name for name, _ in units[0]["decoding"]]
    before = ["", *texts]
    return [
        {"name": name, "before": before[i], "after": text}
        for i, (name, text) in enumerate(zip(names, texts, strict=True))
    ]


def _target_spans(target: str, units: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Matched stretches of the target, joined where they touch; from bytes to characters."""
    raw = target.encode()
    spans = sorted(
        tuple(span)
        for unit in units
        if unit["field"] == "target"
        for match in unit["rules"]
        for span in match["raw_spans"]
    )
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [
        (len(raw[:start].decode("utf-8", "ignore")), len(raw[:end].decode("utf-8", "ignore")))
        for start, end in joined
    ]
