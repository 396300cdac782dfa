"""`logvision backtest`: what a change of rules, threshold, scenarios or model would do to what is kept."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.text import Text

from logvision.app import parts
from logvision.app.backtesting import Part, Report, Setup, backtest
from logvision.app.learning import promoted
from logvision.app.stores import open_stores, site_of
from logvision.cli.asking import From, Query, Site, To, asked
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import count, err, out, plain
from logvision.detect.behaviour import Behaviour
from logvision.detect.classifier import Classifier
from logvision.errors import Problem, SetupError
from logvision.lake.queries import Database

SHOWN = 10


def register(door: typer.Typer) -> None:
    door.command("backtest")(run)


def run(
    rules: Annotated[
        list[Path] | None, typer.Option(help="Folder or file of rules, instead of the configured ones.")
    ] = None,
    scenarios: Annotated[
        list[Path] | None, typer.Option(help="Folder of scenarios, instead of the configured ones.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Another threshold.", min=0.05, max=0.999)] = None,
    model: Annotated[Path | None, typer.Option(help="Another classifier, as `train` writes it.")] = None,
    without_exceptions: Annotated[
        bool, typer.Option("--without-exceptions", help="As if there were no exceptions.")
    ] = False,
    last: Annotated[int | None, typer.Option(help="Only about so many of the newest events.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    query: Query = None,
    site: Site = None,
    start: From = None,
    end: To = None,
    config: Config = None,
    data: DataFolder = None,
) -> None:
    """Judge kept events by a change and as it is now, and say what would come and what would go.

    Example: `logvision backtest --rules new-rules --from now-7d`

    Only what is kept is judged; the package's own rules always count. Nothing is changed.
    """
    settings = read_settings(config, {"lake": {"folder": data}})
    if not (rules or scenarios or threshold is not None or model or without_exceptions):
        raise SetupError(
            Problem(
                "backtest", "no change", "--rules, --scenarios, --threshold, --model or --without-exceptions"
            )
        )
    now = settings.detect
    own = promoted(settings.lake.folder)
    detector = parts.detector(now.rules, now.threshold, own)
    changed = detector
    if rules:
        changed = parts.detector([path.absolute() for path in rules], now.threshold, own)
    if threshold is not None:
        changed = replace(changed, threshold=threshold)
    if model is not None:
        changed = replace(changed, model=Classifier.open(model))
    folders = [path.absolute() for path in scenarios] if scenarios else now.scenarios
    Behaviour.open(folders)  # every mistake before the first event is read
    with open_stores(settings.lake.folder, settings.casebook.url, writer=False) as stores:
        known = site_of(stores.casebook)
        before = Setup(detector, lambda: Behaviour.open(now.scenarios), known)
        after = Setup(
            changed,
            lambda: Behaviour.open(folders),
            replace(known, exemptions=()) if without_exceptions else known,
        )
        database = Database(stores.lake)
        try:
            report = backtest(
                database,
                asked(start, end, site, query),
                before,
                after,
                most=last,
                anonymised=settings.lake.anonymise != "no",
            )
        finally:
            database.close()
    if as_json:
        sys.stdout.write(orjson.dumps(report.to_dict()).decode() + "\n")
    else:
        _show(report)


def _show(report: Report) -> None:
    if report.first is None or report.last is None:
        err().print("there is no such event")
        return
    span = f"{report.first:%Y-%m-%d %H:%M:%S} to {report.last:%Y-%m-%d %H:%M:%S}"
    newest = "" if report.whole else ", the newest"
    out().print(Text(f"{count(report.events)} events judged{newest}, {span} (UTC)"))
    out().print(
        Text(
            f"attacks {count(report.attacks_before)} → {count(report.attacks_after)}, "
            f"{count(report.reclassified)} of another class; "
            f"incidents {count(report.incidents_before)} → {count(report.incidents_after)}"
        )
    )
    _show_part("Would come", report.appearing, "that were ordinary")
    _show_part("Would go", report.disappearing, "that would be ordinary")


def _show_part(title: str, part: Part, ordinary: str) -> None:
    out().print(Text.assemble("\n", (title, "bold"), f"   {count(part.events)} events"))
    if part.events:
        out().print(
            Text(
                f"    {count(part.requests)} distinct requests of {count(part.clients)} clients "
                f"({count(part.ordinary_clients)} {ordinary}) in {count(part.networks)} networks, "
                f"on {count(part.route_count)} routes"
            )
        )
    for heading, numbers in (("rules", part.rules), ("classes", part.classes), ("routes", part.routes)):
        if numbers:
            out().print(Text(f"    {heading:<9} {_numbers(numbers)}"))
    for sample in part.samples[:SHOWN]:
        said = f"{sample['attack']} {sample['score']:.2f}"
        out().print(Text(f"    {said:<22} {plain(sample['method'])} {plain(sample['target'])}"))
    if part.incident_count:
        out().print(Text(f"    incidents {count(part.incident_count)}"))
    for incident in part.incidents[:SHOWN]:
        out().print(Text(f"    {incident.severity.value:<22} {plain(incident.summary)}"))


def _numbers(numbers: Mapping[str, int]) -> str:
    shown = [f"{plain(name)} {count(number)}" for name, number in list(numbers.items())[:SHOWN]]
    more = len(numbers) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
