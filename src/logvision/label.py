"""What people say an event really was. A label keeps its request, so that it outlives the event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

from logvision.incident import from_iso, iso
from logvision.schema import Attack


@dataclass(frozen=True, slots=True)
class Label:
    """One person's word about one event; a later word about the same event replaces it."""

    event: str  # "<source>@<position>", as in GET /api/events
    attack: Attack | None  # null: benign
    author: str
    at: datetime
    target: str  # as logged: hostile text, like all that follows
    note: str = ""
    incident: str | None = None  # the incident that was labelled; null: the event alone
    site: str | None = None
    method: str | None = None
    status: int | None = None
    user_agent: str | None = None
    referer: str | None = None
    score: float = 0.0  # what it was judged when it was labelled

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return said | {"at": iso(self.at), "attack": None if self.attack is None else self.attack.value}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        attack = document["attack"]
        known = {name: value for name, value in document.items() if name in cls.__slots__}
        return cls(
            **known | {"at": from_iso(document["at"]), "attack": None if attack is None else Attack(attack)}
        )


class Labelled(Protocol):
    """What a label is put on: an event of the lake, or a piece of evidence of an incident."""

    @property
    def source(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def method(self) -> str | None: ...
    @property
    def target(self) -> str | None: ...
    @property
    def status(self) -> int | None: ...
    @property
    def user_agent(self) -> str | None: ...
    @property
    def referer(self) -> str | None: ...
    @property
    def score(self) -> float: ...


def labels(
    events: Iterable[Labelled],
    *,
    attack: Attack | None,
    author: str,
    at: datetime,
    note: str = "",
    site: str | None = None,
    incident: str | None = None,
) -> list[Label]:
    """One label for each of these events; what has no target is nothing that could be learned from."""
    return [
        Label(
            event=f"{each.source}@{each.position}",
            attack=attack,
            author=author,
            at=at,
            target=each.target,
            note=note,
            incident=incident,
            site=site,
            method=each.method,
            status=each.status,
            user_agent=each.user_agent,
            referer=each.referer,
            score=round(float(each.score), 4),
        )
        for each in events
        if each.target is not None
    ]
