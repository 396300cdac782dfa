"""Who may see the page: a password is made where it listens to the network and none was set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from logvision.config import WebSettings
from logvision.errors import Problem, SetupError
from logvision.web.auth import hash_password, is_loopback, new_password

KEPT: Final = "password.hash"
"""In the data folder, readable by its owner alone: the same password is good after a restart."""


def protected(web: WebSettings, folder: Path) -> tuple[WebSettings, str | None]:
    """The settings with a password where one is needed, and that password when it was made just now.

    `folder`: a data folder that is held for writing. Raises SetupError when the hash can be neither
    read nor kept.
    """
    if web.password_hash is not None or is_loopback(web.host):
        return web, None
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
    return web.model_copy(update={"password_hash": kept}), fresh


def _keep(path: Path, text: str) -> None:
    """All of it or nothing, and never readable by others, not even while it is written."""
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
