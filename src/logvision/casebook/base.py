"""The contract of a casebook: small, transactional, shared by the engine and the web threads.

Every method may be called from any thread. `StoreError` means that the store cannot take or give
data now (locked, full, unreachable): nothing of the call was kept and it may be tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any, Final, Protocol

from logvision.errors import LogVisionError
from logvision.exemption import Exemption
from logvision.incident import SETTLED, UNSETTLED, Case, Change, Incident, Status, iso
from logvision.label import Label
from logvision.schema import Severity

AUTHOR: Final = "logvision"  # of changes that nobody decided


class Conflict(LogVisionError):
    """A decision was made on a revision that is no longer the newest. `case` is how it stands now."""

    def __init__(self, case: Case) -> None:
        self.case = case
        super().__init__(f"incident {case.incident.id} is at revision {case.revision}")


@dataclass(frozen=True, slots=True)
class Question:
    """Which incidents: all conditions hold together. Those that are part of a campaign are left out."""

    statuses: frozenset[Status] = UNSETTLED
    since: datetime | None = None  # last_seen >= since
    until: datetime | None = None  # first_seen < until
    site: str | None = None  # null: any
    actor: str | None = None  # the actor itself, or a campaign that it is a member of
    severity: Severity | None = None  # null: any
    worked: bool | None = None  # whether an attack of it likely worked; null: either


@dataclass(frozen=True, slots=True)
class CasePage:
    """Cases, newest `last_seen` first (ties by id), and where the next page starts; null: the end."""

    rows: Sequence[Case]
    next: str | None


PAGE: Final = 200
"""Cases that are asked for at once where all are wanted."""

Cursor = Mapping[str, Any]
"""How far the facts were applied: a JSON object that only its writer understands."""


BACKTEST: Final = "backtest"
"""The named state that is the report of the newest backtest that ran by itself or for the page (JSON)."""

LEARNED: Final = "learned"
"""The named state that is the figures of the newest learning from labels (JSON)."""


class Casebook(Protocol):
    """Incidents and decisions about them; exceptions and labels; named states of detection; the cursor of
    applied facts."""

    def apply(
        self,
        incidents: Iterable[Incident],
        states: Mapping[str, bytes] | None = None,
        cursor: Cursor | None = None,
    ) -> list[Case]:
        """Keep everything that one flush of the engine brings: all or nothing, also when it is tried again.

        Incidents are kept by id; what people decided stays. A replay changes nothing: an incident
        that equals the kept one, or is an earlier state of it (fewer events), is skipped. New
        events open a closed case again (with a line in its history), never a false alarm.
        Gives the cases that changed, in the order given.
        """
        ...

    def cursor(self) -> Cursor | None:
        """The cursor of the last `apply` that had one; None: nothing was ever applied."""
        ...

    def save_state(self, name: str, state: bytes) -> None:
        """Keep a named state outside of `apply`, replacing the former one."""
        ...

    def load_state(self, name: str) -> bytes | None:
        """The named state; None: never saved."""
        ...

    def keep_first(self, name: str, state: bytes) -> bytes:
        """The named state as it stands, which is this one when there was none: the first one stays."""
        ...

    def cases(self, question: Question, limit: int = 50, cursor: str | None = None) -> CasePage:
        """One page of cases. Raises ValueError when `cursor` was not given by an earlier page."""
        ...

    def count(self, question: Question) -> int:
        """How many cases the question has."""
        ...

    def case(self, incident_id: str) -> Case | None:
        """One case, also when it is part of a campaign; None: no such incident."""
        ...

    def decide(
        self,
        incident_id: str,
        *,
        revision: int,
        author: str,
        at: datetime,
        status: Status | None = None,
        note: str | None = None,
    ) -> Case | None:
        """Set status or note (None: leave), with a line in the history; None: no such incident.

        Raises Conflict when `revision` is not the case's own.
        """
        ...

    def exempt(self, exemption: Exemption) -> None:
        """Keep a new exception. The same id again replaces it."""
        ...

    def exemptions(self) -> list[Exemption]:
        """All exceptions, the oldest `created` first (ties by id), also those that ended or expired.

        People make them by hand: hundreds, not millions. Asked every second by a running engine.
        """
        ...

    def end_exemption(self, exemption_id: str, *, author: str, at: datetime) -> Exemption | None:
        """Take an exception back; it is kept, with who did it and when. None: no such exception.

        One that was ended already stays as it is.
        """
        ...

    def label(self, labels: Iterable[Label]) -> None:
        """Keep labels, all or nothing; a label replaces an earlier one of the same event."""
        ...

    def labels(self) -> list[Label]:
        """All labels, the newest `at` first (ties by event). Made by hand: thousands, not millions."""
        ...

    def expire(self, keep: timedelta, now: datetime) -> int:
        """Let go of what people were done with so long ago: settled cases, with their history and the cases
        that are part of them, and exceptions that ended or expired. Gives how many cases went.

        Age counts from the last event or the last decision, whichever is later. What is open stays, whatever
        its age, and so do labels: they are learned from. Cheap when nothing is old enough.
        """
        ...

    def close(self) -> None:
        """Give everything back; may be called twice."""
        ...


def merged(old: Case | None, incident: Incident) -> Case | None:
    """The case with this state of its incident, as `Casebook.apply` says; None: nothing changes."""
    if old is None:
        return Case(incident)
    if old.incident == incident or incident.events < old.incident.events:
        return None
    case = replace(old, incident=incident, revision=old.revision + 1)
    opens = old.status in SETTLED and old.status is not Status.FALSE_ALARM
    if opens and incident.events > old.incident.events:
        again = Change(incident.last_seen, AUTHOR, Status.OPEN, "new events came")
        case = replace(case, status=Status.OPEN, history=(*old.history, again))
    return case


def folded(incidents: Iterable[Incident], kept: Mapping[str, Case]) -> dict[str, Case]:
    """The cases that these incidents change, by id in their order; `kept`: those of their ids that there
    are."""
    changed: dict[str, Case] = {}
    for incident in incidents:
        case = merged(changed.get(incident.id, kept.get(incident.id)), incident)
        if case is not None:
            changed[incident.id] = case
    return changed


def decided(
    case: Case, *, revision: int, author: str, at: datetime, status: Status | None, note: str | None
) -> Case:
    """The case with this decision, as `Casebook.decide` says. Raises Conflict."""
    if case.revision != revision:
        raise Conflict(case)
    status = case.status if status is None else status
    note = case.note if note is None else note
    history = (*case.history, Change(at, author, status, note))
    return replace(case, status=status, note=note, revision=case.revision + 1, history=history)


def settled_at(case: Case) -> datetime | None:
    """When people were done with it and it was quiet; None: they are not."""
    if case.status not in SETTLED:
        return None
    return max([case.incident.last_seen, *(change.at for change in case.history)])


def is_over(exemption: Exemption, before: datetime) -> bool:
    """Whether an exception was made, and ended or expired, before this moment."""
    ends = exemption.ended or exemption.expires
    return ends is not None and max(ends, exemption.created) < before


def page_of(cases: Sequence[Case], limit: int) -> CasePage:
    """The page of the first `limit` cases, in order; one more of them means that there is another page."""
    last = cases[limit - 1].incident if len(cases) > limit else None
    return CasePage(cases[:limit], None if last is None else f"{iso(last.last_seen)}~{last.id}")


def every(casebook: Casebook, question: Question) -> Iterator[Case]:
    """All cases of a question, newest first, page by page. Raises StoreError."""
    cursor: str | None = None
    while True:
        page = casebook.cases(question, PAGE, cursor)
        yield from page.rows
        if page.next is None:
            return
        cursor = page.next


def worst_first(
    casebook: Casebook, question: Question, limit: int = 50, cursor: str | None = None
) -> CasePage:
    """One page of cases: the gravest first, what likely worked first among them, and then the newest.

    A page asks for one severity after the other, until it is full. Raises StoreError, and ValueError when
    `cursor` was not given by an earlier page.
    """
    grades = {
        f"{severity}{'!' if worked else ''}": replace(question, severity=severity, worked=worked)
        for severity in reversed(Severity)
        for worked in (True, False)
    }
    start, _, place = (cursor or f"{next(iter(grades))}~").partition("~")
    if start not in grades:
        raise ValueError(f"not a cursor of this casebook: {cursor!r}")
    rows: list[Case] = []
    for grade, graded in dropwhile(lambda each: each[0] != start, grades.items()):
        if len(rows) < limit:
            page = casebook.cases(graded, limit - len(rows), place or None)
            rows += page.rows
            place = ""
            if page.next is not None:
                return CasePage(rows, f"{grade}~{page.next}")
        elif casebook.count(graded) > 0:
            return CasePage(rows, f"{grade}~")
    return CasePage(rows, None)


def place_of(cursor: str) -> tuple[str, str]:
    """`last_seen`, as kept, and id of the case after which a page starts. Raises ValueError."""
    last_seen, _, after = cursor.partition("~")
    if not last_seen or not after:
        raise ValueError(f"not a cursor of this casebook: {cursor!r}")
    return last_seen, after
