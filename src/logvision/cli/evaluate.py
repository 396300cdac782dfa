"""`logvision evaluate`: what the classifier finds in labelled requests, and what it takes for attacks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from logvision.cli.labelled import labelled_requests
from logvision.cli.output import out
from logvision.detect import training
from logvision.detect.classifier import Classifier
from logvision.detect.detector import MODEL_FILE


def register(door: typer.Typer) -> None:
    door.command()(evaluate)


def evaluate(
    labelled: Annotated[
        list[Path], typer.Argument(help="JSON lines of {set, label, url, user_agent, referer}, plain or .gz.")
    ],
    model: Annotated[Path, typer.Option(help="The model (default: the one that ships).")] = MODEL_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the classifier alone: recall, and false alarms on ordinary requests.

    Example: `logvision evaluate labelled.jsonl.gz --model ngram.npz`

    Requests that the model was learned from flatter it.
    """
    classifier = Classifier.open(model)
    found = training.evaluate(classifier, labelled_requests(labelled))
    if as_json:
        sys.stdout.write(orjson.dumps({"model": classifier.card.get("name"), **found}).decode() + "\n")
        return
    for name, value in found.items():
        out().print(f"{name:<22} {value}", markup=False)
