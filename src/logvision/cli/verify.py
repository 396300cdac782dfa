"""`logvision verify`: do both engines say the same of these logs?"""

from __future__ import annotations

import sys
from typing import Annotated

import orjson
import typer

from logvision.app import parts
from logvision.app.capture import Capture
from logvision.app.spark_feed import Way, feeding
from logvision.app.verifying import ROWS, Verdict
from logvision.app.verifying import verify as run
from logvision.cli.options import Config, read_settings
from logvision.cli.output import count, err, out, plain
from logvision.cli.stream import Jars, KafkaSettings, pairs
from logvision.errors import Problem, SetupError


def register(door: typer.Typer) -> None:
    door.command()(verify)


def verify(
    files: Annotated[list[str], typer.Argument(help="Log files (plain, gz, bz2, zst) or globs.")],
    config: Config = None,
    kafka: Annotated[
        str | None,
        typer.Option(
            help="Brokers to send through, in a topic made for it; without: Spark is given the lines."
        ),
    ] = None,
    kafka_setting: KafkaSettings = None,
    master: Annotated[str, typer.Option(help="Spark's master.")] = "local[2]",
    jars: Jars = None,
    memory: Annotated[str | None, typer.Option(help="Memory of a local driver, e.g. 1g.")] = None,
    rows: Annotated[int, typer.Option(min=100, help="Lines of a batch.")] = ROWS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put logs through Spark and through the embedded engine, and compare everything that they say.

    Example: `logvision verify access.log --kafka 127.0.0.1:9092 --jars .cluster/spark`

    Exit code 1 when anything differs; the first differences are printed. Nothing is left behind. The logs
    are held in memory. Needs the extra "spark" and Java 17.
    """
    settings = read_settings(config, {})
    capture = Capture.read(parts.source(parts.Wanted(files, ()), follow=False))
    if not capture.lines:
        raise SetupError(Problem(", ".join(files), "no lines", "logs with lines"))
    way = Way(master, memory, jars, kafka, pairs(kafka_setting or ()), rows)

    def say(text: str) -> None:
        err().print(text, markup=False)

    with feeding(settings, way) as feed:
        found = run(settings, capture, feed, say)
    if as_json:
        sys.stdout.write(orjson.dumps(_document(found)).decode() + "\n")
    else:
        _show(found)
    if not found.same:
        raise typer.Exit(1)


def _document(found: Verdict) -> dict[str, object]:
    kinds = {
        kind.name: {
            "same": kind.same,
            "embedded": kind.embedded,
            "spark": kind.spark,
            "digests": list(kind.digests),
            "differences": [list(pair) for pair in kind.differences],
        }
        for kind in found.kinds
    }
    return {"same": found.same, "lines": found.lines, "left_over": found.left_over, **kinds}


def _show(found: Verdict) -> None:
    for kind in found.kinds:
        said = f"{count(kind.embedded)}, digest {kind.digests[0]}"
        if kind.same:
            out().print(f"{kind.name:<10} the same: {said}")
            continue
        out().print(
            f"{kind.name:<10} [bold]differ[/]: embedded {said}; Spark {count(kind.spark)}, {kind.digests[1]}"
        )
        for embedded, spark in kind.differences:
            out().print(f"  embedded: {plain(embedded) or '-'}", soft_wrap=True)
            out().print(f"  Spark:    {plain(spark) or '-'}", soft_wrap=True)
    if found.left_over:
        out().print(f"{count(found.left_over)} texts of a flood of attacks were judged without being read")
