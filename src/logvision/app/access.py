"""Who may see the page: a password is made where it listens to the network and none was set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from logvision.app.stores import SQLITE, Stores
from logvision.casebook.base import Casebook
from logvision.config import Settings, WebSettings
from logvision.errors import Problem, SetupError
from logvision.web.auth import hash_password, is_loopback, new_password

KEPT: Final = "password.hash"
"""In the data folder, readable by its owner alone: the same password is good after a restart."""

STATE: Final = "password.hash"  # in a casebook that several machines share


def shared(settings: Settings, stores: Stores) -> Casebook | None:
    """The casebook when several machines share it, so that they share the password too; else None."""
    return None if settings.casebook.url == SQLITE else stores.casebook


def protected(
    web: WebSettings, folder: Path, casebook: Casebook | None = None
) -> tuple[WebSettings, str | None]:
    """The settings with a password where one is needed, and that password when it was made just now.

    `casebook`: where its hash is kept; None: in `folder`, a data folder that can be written to. Raises
    SetupError when the hash can be neither read nor kept there, StoreError when the casebook is lost.
    """
    if web.password_hash is not None or is_loopback(web.host):
        return web, None
    kept, fresh = _in_folder(folder) if casebook is None else _in_casebook(casebook)
    return web.model_copy(update={"password_hash": kept}), fresh


def _in_casebook(casebook: Casebook) -> tuple[str, str | None]:
    """Hash of the password, and the password when it is new. Of processes that start at once one makes it."""
    found = casebook.load_state(STATE)
    if found is not None:
        return found.decode(), None
    fresh = new_password()
    mine = hash_password(fresh).encode()
    kept = casebook.keep_first(STATE, mine)
    return kept.decode(), fresh if kept == mine else None


def _in_folder(folder: Path) -> tuple[str, str | None]:
    """Hash of the password, and the password when it is new."""
    path = folder / KEPT
    fresh = None
    try:
        kept = path.read_text("utf-8").strip() if path.exists() else ""
        if not kept:
            fresh = new_password()
            kept = hash_password(fresh)
            _keep(path, kept)
    except OSError as error:
        raise SetupError(
            Problem(str(path), error.strerror or str(error), "a file for the password")
        ) from error
    return kept, fresh


def _keep(path: Path, text: str) -> None:
    """All of it or nothing, and never readable by others, not even while it is written."""
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
