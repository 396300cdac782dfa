"""`logvision train`: learn the classifier from labelled requests."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from logvision.app.training import train_on_spark
from logvision.cli.labelled import labelled_requests
from logvision.cli.output import err
from logvision.clock import SystemClock
from logvision.detect import training
from logvision.errors import Problem, SetupError


class Engine(StrEnum):
    """What fits a model."""

    SKLEARN = "sklearn"
    SPARK = "spark"


def register(door: typer.Typer) -> None:
    door.command()(train)


def train(
    labelled: Annotated[
        list[Path], typer.Argument(help="JSON lines of {set, label, url, user_agent, referer}, plain or .gz.")
    ],
    to_file: Annotated[Path, typer.Option("--out", "-o", help="Write the model here.")] = Path("ngram.npz"),
    name: Annotated[str, typer.Option(help="Name on the model's card.")] = "ngram",
    engine: Annotated[Engine, typer.Option(help="Who fits it.")] = Engine.SKLEARN,
    master: Annotated[
        str | None, typer.Option(help="Spark's master, e.g. local[2]; without: as spark-submit says.")
    ] = None,
    memory: Annotated[str | None, typer.Option(help="Memory of a local driver, e.g. 2g.")] = None,
) -> None:
    """Learn a classifier from labelled requests (label: attack or benign); minutes, not hours.

    Example: `logvision train labelled.jsonl.gz --out ngram.npz`

    The same requests give the same weights. Needs the extra "train" (scikit-learn); `--engine spark` fits
    the same model on a cluster, for more requests than one machine holds, and needs the extra "spark" too.
    """
    if find_spec("sklearn") is None:
        raise SetupError(Problem("scikit-learn", "not installed", 'it: pip install "logvision[train]"'))
    if not to_file.absolute().parent.is_dir():  # minutes before the model is written
        raise SetupError(Problem("--out", f"{to_file}: no such folder", "a file that can be written"))
    made = f"{datetime.fromtimestamp(SystemClock().now(), UTC):%Y-%m-%d}"
    sources = [path.name for path in labelled]
    if engine is Engine.SPARK:
        model, learned = train_on_spark(labelled, name=name, made=made, master=master, memory=memory)
    else:
        table = labelled_requests(labelled)
        learned = table.num_rows
        model = training.train(table, name=name, made=made, sources=sources)
    try:
        model.save(to_file)
    except OSError as error:
        got = f"{to_file}: {error.strerror}"
        raise SetupError(Problem("--out", got, "a file that can be written")) from None
    err().print(f"{learned:,} requests learned; model written to {to_file}", markup=False)
