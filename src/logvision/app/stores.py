"""The stores of a data folder, opened together, and what a restart takes up from them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from logvision.casebook.base import Casebook
from logvision.casebook.sqlite import SqliteCasebook
from logvision.columns import constant
from logvision.detect.profiles import Profiles
from logvision.detect.site import Site
from logvision.engines.state import State, in_order
from logvision.errors import Problem, SetupError, StoreError, without_secrets
from logvision.lake.segments import Lake, Resume
from logvision.live.base import Live
from logvision.metrics import Metrics
from logvision.pipeline import Knowledge

if TYPE_CHECKING:
    from logvision.app.reloading import Say

CASEBOOK: Final = "casebook.sqlite"
SQLITE: Final = "sqlite"
MEMORY: Final = "memory"
IDENTITY: Final = "lake.id"  # in the data folder
RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Stores:
    """An open data folder."""

    lake: Lake
    casebook: Casebook


@contextmanager
def open_stores(folder: Path, casebook_url: str = SQLITE, *, writer: bool) -> Iterator[Stores]:
    """Lake and casebook. Raises SetupError: see `Lake.open` and the casebook's own `__init__`.

    `casebook_url`: as in the settings; a MongoDB that does not answer yet is no error here.
    """
    with Lake.open(folder, writer=writer) as lake:
        casebook = open_casebook(folder, casebook_url)
        try:
            yield Stores(lake, casebook)
        finally:
            casebook.close()


@contextmanager
def kept_casebook(folder: Path, url: str = SQLITE) -> Iterator[Casebook | None]:
    """The casebook of a folder that has one; None: it has none, and none is made. Raises SetupError."""
    if url == SQLITE and not (folder / CASEBOOK).exists():
        yield None
        return
    casebook = open_casebook(folder, url)
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


def open_casebook(folder: Path, url: str) -> Casebook:
    """The casebook of the settings; `folder`: of the data. Raises SetupError."""
    if url == SQLITE:
        return SqliteCasebook(folder / CASEBOOK)
    with _extra("casebook.url", url):
        from logvision.casebook.mongodb import MongoCasebook  # noqa: PLC0415 - an extra
    return MongoCasebook(url)


@contextmanager
def open_live(url: str, metrics: Metrics) -> Iterator[Live]:
    """The live bus of the settings. Raises SetupError."""
    live: Live
    if url == MEMORY:
        from logvision.live.memory import MemoryLive  # noqa: PLC0415 - with asyncio, which a scan does without

        live = MemoryLive()
    else:
        with _extra("live.url", url):
            from logvision.live.redis import RedisLive  # noqa: PLC0415 - an extra
        live = RedisLive(url, metrics)
    try:
        yield live
    finally:
        live.close()


@contextmanager
def _extra(setting: str, url: str) -> Iterator[None]:
    """Importing what only some installations have."""
    try:
        yield
    except ModuleNotFoundError as error:
        got = f"{without_secrets(url)}, and no module {error.name}"
        raise SetupError(
            Problem(setting, got, "LogVision installed with the extra: logvision[cluster]")
        ) from None


def wait_for(stores: Stores, say: Say, stop: threading.Event) -> bool:
    """Wait until the casebook answers, telling so once; False: `stop` was set before it did."""
    told = ""
    while True:
        try:
            stores.casebook.cursor()
        except StoreError as error:
            if str(error) != told:
                told = str(error)
                say(f"casebook: {told}; waiting for it")
            if stop.wait(RETRY_S):
                return False
        else:
            if told:
                say("casebook: well again")
            return True


def take_up(stores: Stores, known: Knowledge, state: State, *, anonymised: bool = False) -> Resume:
    """Put what was learned and open back in place, and fold what the casebook has not seen.

    A crash between a segment's commit and the casebook's leaves the casebook one segment behind;
    a casebook that was deleted is built anew from the whole lake. `anonymised`: the addresses there say
    nothing of crawlers.
    """
    _belong_together(stores)
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


def _belong_together(stores: Stores) -> None:
    """A casebook counts the segments of one lake: of another it would skip some. Raises SetupError."""
    if isinstance(stores.casebook, SqliteCasebook):  # which lies in the data folder
        return
    file = stores.lake.folder / IDENTITY
    try:
        if not file.exists():
            file.write_text(secrets.token_hex(16) + "\n")
        mine = file.read_text().strip()
    except OSError as error:
        got = error.strerror or str(error)
        raise SetupError(Problem(str(file), got, "a file for the data folder's identity")) from error
    if stores.casebook.keep_first("lake", mine.encode()).decode() != mine:
        expected = "one of its own, or a database without any"
        raise SetupError(Problem("casebook.url", "a casebook of another data folder", expected))


def applied(casebook: Casebook) -> int:
    """Sequence of the last segment whose incidents and states the casebook holds; -1: none."""
    cursor = casebook.cursor()
    return -1 if cursor is None else int(cursor["sequence"])


def committed_after(lake: Lake, sequence: int) -> Iterator[tuple[int, pa.Table]]:
    """EVENT tables of the segments after this one, rows as they came, and their sequence numbers."""
    for file in lake.catalogue.events:
        if file.last is not None and file.last > sequence:
            yield file.last, in_order(lake.events(file))
