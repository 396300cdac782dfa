"""`logvision train`: learn the classifier from labelled requests."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from logvision.cli.labelled import labelled_requests
from logvision.cli.output import err
from logvision.clock import SystemClock
from logvision.detect import training
from logvision.errors import Problem, SetupError


def register(door: typer.Typer) -> None:
    door.command()(train)


def train(
    labelled: Annotated[
        list[Path], typer.Argument(help="JSON lines of {set, label, url, user_agent, referer}, plain or .gz.")
    ],
    to_file: Annotated[Path, typer.Option("--out", "-o", help="Write the model here.")] = Path("ngram.npz"),
    name: Annotated[str, typer.Option(help="Name on the model's card.")] = "ngram",
) -> None:
    """Learn a classifier from labelled requests (label: attack or benign); minutes, not hours.

    Example: `logvision train labelled.jsonl.gz --out ngram.npz`

    The same requests give the same weights. Needs the extra "train" (scikit-learn).
    """
    if find_spec("sklearn") is None:
        raise SetupError(Problem("scikit-learn", "not installed", 'it: pip install "logvision[train]"'))
    table = labelled_requests(labelled)
    made = f"{datetime.fromtimestamp(SystemClock().now(), UTC):%Y-%m-%d}"
    model = training.train(table, name=name, made=made, sources=[path.name for path in labelled])
    try:
        model.save(to_file)
    except OSError as error:
        got = f"{to_file}: {error.strerror}"
        raise SetupError(Problem("--out", got, "a file that can be written")) from None
    err.print(f"{table.num_rows:,} requests learned; model written to {to_file}", markup=False)
