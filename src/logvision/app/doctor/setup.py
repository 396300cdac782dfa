"""Checks of the set-up: configuration, data that ships with the package, data folder, disk, port."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from logvision import native
from logvision.app.doctor.check import Check, State
from logvision.config import LakeSettings, NetworkSettings, Settings, WebSettings, examined, load
from logvision.enrich.network import SHIPPED, Networks
from logvision.errors import SetupError
from logvision.lake.segments import Lake
from logvision.web.services import STATIC

TIGHT_BYTES: Final = 2 << 30
FULL_BYTES: Final = 100 << 20
"""Free bytes below which a disk is worth a word, and below which nothing can be relied on."""

ASK_S: Final = 1.0


def configuration(file: Path | None, flags: dict[str, object]) -> tuple[Settings, list[Check]]:
    """The settings, and whether they hold; what is wrong is left out for the other checks."""
    name = "configuration"
    try:
        settings, problems = examined(file, flags)
    except SetupError as error:
        settings, problems = load(None, {}), list(error.problems)
    if problems:
        return settings, [Check(name, State.FAIL, str(problem)) for problem in problems]
    where = f"{file} holds" if file else "no file is given, the built-in settings hold"
    return settings, [Check(name, State.OK, f"{where}; `logvision check` also runs the rules' tests")]


def surroundings(settings: Settings) -> Iterator[Check]:
    """Everything around that is no log."""
    yield native_core(native.HERE, native.STATE)
    yield network_data(settings.network)
    yield the_page(STATIC)
    yield from data_folder(settings.lake)
    yield disk(settings.lake.folder)
    yield port(settings.web)


def native_core(here: bool, state: str) -> Check:
    """Do the innermost loops run in C, or the slower pure ones with the same answers."""
    if here:
        return Check("native core", State.OK, state)
    advice = "install again without LOGVISION_BUILD=none; in a source tree run `python hatch_build.py`"
    return Check(
        "native core", State.WARN, f"{state}: the same answers, several times slower", advice=(advice,)
    )


def network_data(settings: NetworkSettings, shipped: Path = SHIPPED) -> Check:
    """Is there a database of countries and networks."""
    name = "network data"
    try:
        said = Networks.open(settings.country_db, settings.asn_db, shipped).attribution()
    except SetupError as error:
        return Check(name, State.FAIL, "; ".join(str(problem) for problem in error.problems))
    if said or (settings.country_db and settings.asn_db):
        return Check(name, State.OK, "countries and networks are known")
    return Check(
        name,
        State.WARN,
        f"{shipped.name} is missing: countries and networks stay unknown, attacks from one network unseen",
        advice=("install the package again, or set network.country_db and network.asn_db to MaxMind files",),
    )


def the_page(static: Path) -> Check:
    """Was the front end built."""
    if (static / "index.html").is_file():
        return Check("page", State.OK, "the page is built")
    return Check(
        "page",
        State.WARN,
        "the page was not built: the API answers, a browser sees nothing",
        advice=("install the package again: its build makes the page",),
    )


def data_folder(settings: LakeSettings) -> Iterator[Check]:
    """Can it be written, read, and who has it."""
    folder, name = settings.folder, "data folder"
    if not folder.exists():
        above = next(parent for parent in folder.parents if parent.exists())
        if os.access(above, os.W_OK | os.X_OK):
            yield Check(name, State.OK, f"{folder} is not there yet and can be made")
        else:
            yield Check(name, State.FAIL, f"{folder} cannot be made: {above} is not writable")
        return
    if not folder.is_dir():
        yield Check(name, State.FAIL, f"{folder} is not a folder")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Check(name, State.FAIL, f"{folder} cannot be written by this user")
    if not (folder / "events").is_dir():
        yield Check(name, State.OK, f"{folder} is empty")
        return
    try:
        with Lake.open(folder, writer=False) as lake:
            files = lake.catalogue
            rows = sum(file.rows for file in files.events)
            newest = max((f.time_last for f in files.events if f.time_last), default=None)
            said = f"{rows:,} events in {len(files.events)} segments, {files.size / 2**20:,.1f} MiB"
            if newest is not None:
                said += f", newest of {newest:%Y-%m-%d %H:%M:%S} UTC"
    except SetupError as error:
        yield Check(name, State.FAIL, "; ".join(str(problem) for problem in error.problems))
        return
    writer = " A LogVision writes there now." if _is_locked(folder / "lock") else ""
    yield Check(name, State.OK, f"{folder}: {said}.{writer}")


def _is_locked(file: Path) -> bool:
    try:
        held = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(held)
    return False


def disk(folder: Path) -> Check:
    """Is there room for what comes."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(there)
    said = f"{usage.free / 2**30:,.1f} GiB free of {usage.total / 2**30:,.1f} GiB where the data folder is"
    if usage.free < FULL_BYTES:
        return Check("disk", State.FAIL, said, advice=("make room: without it nothing is committed",))
    if usage.free < TIGHT_BYTES:
        return Check("disk", State.WARN, said, advice=("set lake.keep_bytes or lake.keep_days",))
    return Check("disk", State.OK, said)


def port(web: WebSettings) -> Check:
    """Can the page be served where it shall be."""
    where = f"{web.host}:{web.port}"
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((web.host, web.port))
        except OSError as error:
            if web.port and _is_ours(web):
                return Check("port", State.OK, f"a LogVision answers on {where}")
            return Check(
                "port",
                State.FAIL,
                f"{where}: {error.strerror or error}",
                advice=("choose another with --port or web.port",),
            )
    return Check("port", State.OK, f"{where} is free")


def _is_ours(web: WebSettings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(web.host, web.host)  # noqa: S104 - recognised, not bound
    host = f"[{host}]" if ":" in host else host
    try:
        with urllib.request.urlopen(f"http://{host}:{web.port}/live", timeout=ASK_S) as answer:
            return bool(json.loads(answer.read(1000)) == {"ok": True})
    except (OSError, ValueError, urllib.error.URLError):
        return False
