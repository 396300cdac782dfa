"""The stores of a data folder, opened together, and what a restart takes up from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from logvision.casebook.base import Casebook
from logvision.casebook.sqlite import SqliteCasebook
from logvision.columns import constant
from logvision.detect.context import Site
from logvision.detect.profiles import Profiles
from logvision.engines.embedded import State
from logvision.lake.segments import Lake, Resume
from logvision.pipeline import Knowledge

CASEBOOK: Final = "casebook.sqlite"


@dataclass(frozen=True, slots=True)
class Stores:
    """An open data folder."""

    lake: Lake
    casebook: Casebook


@contextmanager
def open_stores(folder: Path, *, writer: bool) -> Iterator[Stores]:
    """Lake and casebook of a folder. Raises SetupError: see `Lake.open`."""
    with Lake.open(folder, writer=writer) as lake:
        casebook = SqliteCasebook(folder / CASEBOOK)
        try:
            yield Stores(lake, casebook)
        finally:
            casebook.close()


@contextmanager
def kept_casebook(folder: Path) -> Iterator[Casebook | None]:
    """The casebook of a folder that has one; None: it has none, and none is made. Raises SetupError."""
    if not (folder / CASEBOOK).exists():
        yield None
        return
    casebook = SqliteCasebook(folder / CASEBOOK)
    try:
        yield casebook
    finally:
        casebook.close()


def site_of(casebook: Casebook) -> Site:
    """What was saved of the site's own normal, and its exceptions."""
    profiles = casebook.load_state("profiles")
    return Site(
        Profiles() if profiles is None else Profiles.restore(profiles),
        tuple(each for each in casebook.exemptions() if each.ended is None),
    )


def take_up(stores: Stores, known: Knowledge, state: State, *, anonymised: bool = False) -> Resume:
    """Put what was learned and open back in place, and fold what the casebook has not seen.

    A crash between a segment's commit and the casebook's leaves the casebook one segment behind;
    a casebook that was deleted is built anew from the whole lake. `anonymised`: the addresses there say
    nothing of crawlers.
    """
    resume = stores.lake.resume()
    if "formats" in resume.state:
        known.formats.restore(resume.state["formats"])
    restored = state.restore(stores.casebook.load_state)
    known.restore(stores.casebook.load_state)
    known.exemptions = site_of(stores.casebook).exemptions
    for sequence, events in committed_after(stores.lake, applied(stores.casebook) if restored else -1):
        nothing = constant(None, events.num_rows) if anonymised else None
        changed = state.correlate(events, nothing)
        stores.casebook.apply(changed, state.save(), {"sequence": sequence})
    return resume


def applied(casebook: Casebook) -> int:
    """Sequence of the last segment whose incidents and states the casebook holds; -1: none."""
    cursor = casebook.cursor()
    return -1 if cursor is None else int(cursor["sequence"])


def committed_after(lake: Lake, sequence: int) -> Iterator[tuple[int, pa.Table]]:
    """EVENT tables of the segments after this one, in order, with their sequence numbers."""
    for file in lake.catalogue.events:
        if file.last is not None and file.last > sequence:
            yield file.last, lake.events(file)
