"""From records to judged events: a named list of pure steps. Read `STEPS` and you know the product.

Both engines run this list: `embedded` all of it in one place, `spark` the steps that look at rows ALONE
on as many machines as there are and those that are LEARNING on one. A step takes a `Flow` and gives a
new one; it does no I/O and asks no clock. What a step needs to know beside the rows stands in `Knowledge`.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from typing import Final

import numpy as np
import orjson
import pyarrow as pa

from logvision.columns import distinct
from logvision.detect import Detector, detect
from logvision.detect.normal import Normal
from logvision.detect.outcome import Baselines
from logvision.detect.outcome import judge as judge_outcome
from logvision.detect.profiles import Profiles
from logvision.detect.site import Looks, Site, reconsider
from logvision.enrich import agent, client, network, request
from logvision.exemption import Exemption
from logvision.formats import Formats
from logvision.schema import EVENT, RECORD, REJECT


@dataclass(slots=True)
class Knowledge:
    """What the steps know beside the rows. Everything learned here can be saved and restored."""

    formats: Formats
    proxies: client.TrustedProxies
    networks: network.Networks
    agents: agent.Agents
    routes: request.Routes
    detector: Detector
    baselines: Baselines
    profiles: Profiles = field(default_factory=Profiles)
    looks: Looks = field(default_factory=Looks)
    exemptions: tuple[Exemption, ...] = ()  # replaced whole, from any thread, when people change them

    def save(self) -> dict[str, bytes]:
        """What was learned, as named states for the casebook; costs milliseconds."""
        return {
            "routes": orjson.dumps(self.routes.snapshot()),
            "baselines": self.baselines.snapshot(),
            "profiles": self.profiles.snapshot(),
        }

    def restore(self, load: Callable[[str], bytes | None]) -> None:
        """Take up what `save` gave; what was never saved stays as it is."""
        routes = load("routes")
        if routes is not None:
            self.routes = request.Routes.restore(orjson.loads(routes))
        baselines = load("baselines")
        if baselines is not None:
            self.baselines.restore(baselines)
        profiles = load("profiles")
        if profiles is not None:
            self.profiles = Profiles.restore(profiles)

    def normal(self) -> Normal:
        """Routes and profiles as they are now; `Normal.bundle` makes them portable."""
        return Normal(self.routes, self.profiles)

    def take(self, normal: Normal) -> None:
        """Judge by these routes and profiles from now on."""
        self.routes, self.profiles = normal.routes, normal.profiles


@dataclass(frozen=True, slots=True)
class Flow:
    """What stands between two steps. read = events + rejects (filtered rows are rejects by reason)."""

    records: pa.Table
    read_at: datetime
    events: pa.Table
    rejects: pa.Table


Step = Callable[[Flow, Knowledge], Flow]

_NO_RECORDS: Final = RECORD.empty_table()
_NO_EVENTS: Final = EVENT.empty_table()
_NO_REJECTS: Final = REJECT.empty_table()


def parse(flow: Flow, known: Knowledge) -> Flow:
    """Records to PARSED events, and to rejects with a reason. No other step sees the lines: they go here."""
    parsed = known.formats.parse(flow.records, flow.read_at)
    return replace(flow, records=_NO_RECORDS, events=parsed.events, rejects=parsed.rejects)


def real_client(flow: Flow, known: Knowledge) -> Flow:
    """Who really asked, behind trusted proxies."""
    return replace(flow, events=client.resolve(flow.events, known.proxies))


def place(flow: Flow, known: Knowledge) -> Flow:
    """Country and network of the client."""
    return replace(flow, events=network.add(flow.events, known.networks))


def agents(flow: Flow, known: Knowledge) -> Flow:
    """Agent family, operating system, device, bot."""
    return replace(flow, events=agent.add(flow.events, known.agents))


def judge(flow: Flow, known: Knowledge) -> Flow:
    """Probability of being an attack, its class and its evidence: canonical form, then the cascade."""
    return replace(flow, events=detect(flow.events, known.detector))


def routes(flow: Flow, known: Knowledge) -> Flow:
    """Route template and kind of resource, which make judged rows EVENT."""
    routed = request.add(flow.events, known.routes)
    return replace(flow, events=pa.table([routed[name] for name in EVENT.names], schema=EVENT))


def site(flow: Flow, known: Knowledge) -> Flow:
    """Verdicts held against what this site's visitors ordinarily send, and against exceptions."""
    known_site = Site(known.profiles, known.exemptions, known.looks)
    return replace(flow, events=reconsider(flow.events, known.detector, known_site))


def outcome(flow: Flow, known: Knowledge) -> Flow:
    """How each attack went."""
    return replace(flow, events=judge_outcome(flow.events, known.baselines).select(EVENT.names))


def learn(flow: Flow, known: Knowledge) -> Flow:
    """The rows as they are, after the ordinary ones of well-behaved clients have taught the profiles."""
    known.profiles.learn(flow.events, known.baselines.attackers)
    return flow


Steps = Sequence[tuple[str, Step]]

PARSING: Final[Steps] = (("parse", parse),)
"""The only step that sees lines."""

JUDGING: Final[Steps] = (
    ("real client", real_client),
    ("place", place),
    ("agents", agents),
    ("judge", judge),
)

ALONE: Final[Steps] = (*PARSING, *JUDGING)
"""What they say of a row follows from the row, and from what its own source said before it (`formats`):
it is the same wherever and beside whatever the row is looked at."""

LEARNING: Final[Steps] = (
    ("routes", routes),
    ("site", site),
    ("outcome", outcome),
    ("learn", learn),
)
"""What they say of a row follows from all rows before it too: they see all rows, in the order of arrival."""

LEARNED: Final = ("route", "kind", "score", "attack", "rules", "outcome")
"""Columns that LEARNING steps give or change."""

LESSON: Final = 12 << 20
"""Bytes of a log that LEARNING steps see at once, however much is read at once: what a row is held against
must not depend on that."""

SHORTER: Final = tuple(1 << power for power in range(19, 24))
"""Where the first LESSON of a log is cut as well: its first visitors soon tell what is ordinary there."""

STEPS: Final[Steps] = (*ALONE, *LEARNING)
"""Fold and correlate follow: they keep state, so each engine calls them where it keeps state."""


def run(
    records: pa.Table,
    read_at: datetime,
    known: Knowledge,
    seconds: MutableMapping[str, float] | None = None,
) -> Flow:
    """Take RECORD rows through every step; `seconds`: see `through`."""
    return through(STEPS, begin(records, read_at), known, seconds)


def begin(records: pa.Table, read_at: datetime) -> Flow:
    """What stands before the first step."""
    return Flow(records, read_at, events=_NO_EVENTS, rejects=_NO_REJECTS)


def through(
    steps: Steps, flow: Flow, known: Knowledge, seconds: MutableMapping[str, float] | None = None
) -> Flow:
    """Take a flow through some of the steps.

    `seconds`, when given, is added to per step: wall seconds spent, for metrics and benches.
    """
    for name, step in steps:
        began = perf_counter()
        flow = step(flow, known)
        if seconds is not None:
            seconds[name] = seconds.get(name, 0.0) + perf_counter() - began
    return flow


def learning(flow: Flow, known: Knowledge, seconds: MutableMapping[str, float] | None = None) -> Flow:
    """Take a flow through the LEARNING steps, a LESSON of each source at a time."""
    ends = [*_lessons(flow.events), flow.events.num_rows]
    parts = [
        through(LEARNING, replace(flow, events=flow.events.slice(begin, end - begin)), known, seconds).events
        for begin, end in zip([0, *ends], ends, strict=False)
    ]
    if len(parts) == 1:
        return replace(flow, events=parts[0])
    # What no step changed stands whole already.
    learned = pa.concat_tables([part.select(LEARNED) for part in parts])
    learned = learned.unify_dictionaries().combine_chunks()
    tables = {field.name: learned if field.name in LEARNED else flow.events for field in EVENT}
    columns = [tables[field.name][field.name].cast(field.type) for field in EVENT]
    return replace(flow, events=pa.table(columns, EVENT))


def _lessons(events: pa.Table) -> list[int]:
    """Rows with which a lesson begins, but for the first: the last line that begins before a multiple of
    LESSON, or one of SHORTER, for it ends behind it. A reader that reads a LESSON at once cuts there too."""
    position = events["position"].to_numpy()
    lesson = position // LESSON + np.searchsorted(SHORTER, position, "right")
    source = distinct(events, "source")[1]
    cuts = np.flatnonzero((lesson[1:] > lesson[:-1]) & (source[1:] == source[:-1]))
    return [row for row in cuts.tolist() if row]
