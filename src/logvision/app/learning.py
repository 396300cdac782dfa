"""Learning from labels: a shadow of the shipped classifier, promoted into the data folder if it is better.

The model in the package is never touched; each learning begins at it anew.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson
import pyarrow as pa

from logvision.casebook.base import LEARNED, Casebook
from logvision.clock import Clock
from logvision.detect import Detector
from logvision.detect.classifier import Classifier
from logvision.errors import Problem, SetupError
from logvision.incident import iso

if TYPE_CHECKING:
    from logvision.detect.correction import Learned

PROMOTED: Final = Path("models") / "promoted.npz"
"""In a data folder: the model that is used there instead of the shipped one, with its card inside."""


def promoted(folder: Path) -> Path | None:
    """The model that was promoted in this data folder; None: none was."""
    path = folder / PROMOTED
    return path if path.exists() else None


def learn_from(
    casebook: Casebook,
    folder: Path,
    shipped: Detector,
    clock: Clock,
    *,
    promote: bool = True,
    known: Sequence[Path] = (),
) -> Learned:
    """Learn from all labels, keep the figures, and promote the model when it is better.

    `shipped`: the detector with the package's own model. `known`: files of labelled requests that belong to
    the reference besides. Raises SetupError when one is none, or the folder cannot be written. Cost: seconds.
    """
    # Where nothing is learned, only whether a model was promoted is asked here. One has a library of 50 MB.
    from logvision.app import regression  # noqa: PLC0415
    from logvision.detect import training  # noqa: PLC0415
    from logvision.detect.correction import Reference, learn  # noqa: PLC0415

    now = datetime.fromtimestamp(clock.now(), UTC)
    reference = Reference.of_rules(shipped)
    if known:
        reference = Reference(pa.concat_tables([reference.requests, training.read(known)]))
    made = f"{now:%Y-%m-%d}"
    found = learn(casebook.labels(), shipped, reference, made=made, held=regression.requests())
    if promote and found.model is not None and not found.refused:
        _keep(found.model, folder / PROMOTED)
    is_promoted = promote and not found.refused
    report = {"made": iso(now), "promoted": is_promoted, **found.figures()}
    casebook.save_state(LEARNED, orjson.dumps(report))
    return found


def forget(folder: Path) -> bool:
    """Go back to the shipped model; False: it is in use already."""
    path = promoted(folder)
    if path is None:
        return False
    path.unlink()
    return True


def _keep(model: Classifier, path: Path) -> None:
    """All of it or nothing: a running process may look at any moment."""
    temporary = path.with_name("new-" + path.name)
    try:
        path.parent.mkdir(exist_ok=True)
        model.save(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        got = f"{path}: {error.strerror}"
        raise SetupError(Problem("the promoted model", got, "a data folder that can be written")) from error
