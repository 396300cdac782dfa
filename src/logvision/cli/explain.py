"""`logvision explain`: why a line is an attack, and why not."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.text import Text

from logvision.app import parts
from logvision.app.explaining import explain_line
from logvision.app.stores import kept_casebook
from logvision.cli.options import Config, DataFolder, read_settings
from logvision.cli.output import complain, out, plain

MARK = "bold reverse red"
HEAD = "bold"
FAINT = "dim"

_FIELDS = {
    "time": ("time",),
    "client": ("client_ip", "country", "asn", "network"),
    "peer": ("peer_ip",),
    "site": ("site",),
    "user": ("user",),
    "status": ("status",),
    "bytes": ("bytes",),
    "duration": ("duration_us",),
    "route": ("route", "kind"),
    "agent": ("agent", "os", "device", "bot"),
}


def register(door: typer.Typer) -> None:
    door.command()(explain)


def explain(
    line: Annotated[str, typer.Argument(help="A raw log line, or - for lines on standard input.")],
    config: Config = None,
    fmt: Annotated[
        str | None,
        typer.Option("--format", help="Name of a format, or a pasted log_format or LogFormat line."),
    ] = None,
    data: DataFolder = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole explanation, one JSON object a line.")
    ] = False,
) -> None:
    """Say why a line is judged an attack, and why not: raw bytes, decoding, rules, model, probability.

    Example: `tail -1 access.log | logvision explain -`

    With a data folder, what was learned of the site and excepted there counts as well.

    Exit code 1 when a line is no event.
    """
    settings = read_settings(config, {"formats": {"*": fmt}, "lake": {"folder": data}})
    known = parts.knowledge(settings, settings.lake.folder)
    understood = True
    with kept_casebook(settings.lake.folder, settings.casebook.url) as casebook:
        for one in _lines(line):
            found = explain_line(one, known, casebook=casebook)
            understood &= found["reason"] is None
            if as_json:
                sys.stdout.write(orjson.dumps(found).decode() + "\n")
            else:
                _show(found)
    if not understood:
        raise typer.Exit(1)


def _lines(line: str) -> Iterable[str]:
    if line != "-":
        return [line]
    lines = [raw.decode("utf-8", "surrogateescape") for raw in sys.stdin.buffer if raw.strip()]
    if not lines:
        complain(["standard input holds no line"])
        raise typer.Exit(2)
    return lines


def _show(found: dict[str, Any]) -> None:
    if found["reason"] is not None:
        out().print(Text.assemble(("Not an event", HEAD), f": {found['reason']}"))
        out().print(Text(plain(found["line"])))
        return
    attack = found["attack"]
    said = f"attack, {attack}" if attack else "ordinary"
    out().print(
        Text.assemble(
            (said, "bold red" if attack else "bold green"),
            f"   probability {found['score']:.2f}, threshold {found['threshold']:.2f}",
        )
    )
    out().print(Text(plain(found["verdict"])))
    _show_fields(found)
    _show_why(found)
    _show_why_not(found)


def _show_fields(found: dict[str, Any]) -> None:
    event = found["event"]
    out().print(Text.assemble("\n", ("Line", HEAD), f"   {found['format']} ({found['confidence']:.0%} sure)"))
    spans = {"target": found["target_spans"]}
    for name in ("user_agent", "referer"):
        spans[name] = _spans(event[name], name, found["units"])
    request = Text.assemble(plain(event["method"]), " ")
    request.append_text(_marked(event["target"], spans["target"])).append(f" {plain(event['protocol'])}")
    _row("request", request)
    for title, names in _FIELDS.items():
        values = [plain(str(event[name])) for name in names if event[name] is not None]
        if values:
            _row(title, Text("  ".join(values)))
    for name in ("referer", "user_agent"):
        if event[name] is not None:
            _row(name.replace("_", " "), _marked(event[name], spans[name]))


def _show_why(found: dict[str, Any]) -> None:
    out().print(Text.assemble("\n", ("Why", HEAD)))
    if not found["units"] and not found["request_rules"]:
        _row("", Text("nothing was found"))
    for rule in found["request_rules"]:
        _row("request", Text(f"the rule {rule} holds for the request as a whole"))
    for unit in found["units"]:
        _show_unit(unit)
    _show_context(found, "for")


def _show_unit(unit: dict[str, Any]) -> None:
    score = f"{unit['score']:.2f}" + (f" {unit['attack']}" if unit["attack"] else "")
    out().print(
        Text.assemble("  ", (f"{unit['kind']} of the {unit['field'].replace('_', ' ')}", HEAD), f"  {score}")
    )
    spans = [tuple(span) for rule in unit["rules"] for span in rule["spans"]]
    _row("text", _marked(unit["text"], _characters(unit["text"], spans)))
    for step, text in unit["decoding"]:
        _row("decoded", Text.assemble((f"{step} ", FAINT), plain(text)))
    for rule in unit["rules"]:
        sure = f"{rule['confidence']:.0%} sure"
        matched = _matched(unit["text"], rule["spans"])
        _row("rule", Text.assemble(rule["rule"], (f"  {plain(rule['title'])}, {sure}  ", FAINT), matched))
    if unit["model"] is not None:
        grams = "  ".join(f"{plain(repr(gram))} {weight:+.2f}" for gram, weight in unit["ngrams"])
        _row("classifier", Text.assemble(f"{unit['model']:.2f}  ", (grams, FAINT)))
    for sentence in unit["verification"]:
        _row("reading", Text(plain(sentence)))


def _show_context(found: dict[str, Any], *kinds: str) -> None:
    """What the site's own normal and exceptions add, and what they take away."""
    for note in found["context"]:
        if note["kind"] in kinds:
            title = "exception" if note["kind"] == "exception" else "this site"
            _row(title, Text.assemble(plain(note["sentence"]), (f"  {note['rule']}", FAINT)))


def _show_why_not(found: dict[str, Any]) -> None:
    out().print(Text.assemble("\n", ("Why not", HEAD)))
    quiet = found["quiet_units"]
    if quiet:
        _row("", Text(f"{quiet} other {'part shows' if quiet == 1 else 'parts show'} nothing at all"))
    for unit in found["units"]:
        if unit["hints"] and not unit["verification"]:
            hints = ", ".join(unit["hints"])
            _row(
                "",
                Text(f"{hints} asked for a reading of {plain(repr(unit['text'][:60]))}, which found nothing"),
            )
    _show_context(found, "against", "exception")
    if found["score"] != found["score_alone"]:
        _row("", Text(f"by itself the request would have {found['score_alone']:.2f}"))
    if found["attack"] is None and found["score"] > 0:
        _row("", Text(f"{found['score']:.2f} is below the threshold of {found['threshold']:.2f}"))
    if found["outcome"] is not None:
        _row("outcome", Text(f"{found['outcome']}: {plain(found['outcome_reason'])}"))


def _row(title: str, text: Text) -> None:
    """A line under its heading; what is too long goes on below its own beginning."""
    width = 16
    lines = text.wrap(out(), max(out().width - width, 20))
    for number, line in enumerate(lines):
        heading = title if not number else ""
        out().print(Text.assemble((f"    {heading:<{width - 4}}", FAINT), line))


def _spans(value: str | None, field: str, units: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """Matched stretches of a field as logged, in characters."""
    raw = [
        tuple(span)
        for unit in units
        if unit["field"] == field
        for rule in unit["rules"]
        for span in rule["raw_spans"]
    ]
    return _characters(value or "", raw)


def _characters(text: str, spans: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Byte offsets to character offsets, in order."""
    raw = text.encode()
    return sorted(
        (len(raw[:start].decode("utf-8", "ignore")), len(raw[:end].decode("utf-8", "ignore")))
        for start, end in spans
    )


def _marked(text: str | None, spans: Sequence[Sequence[int]]) -> Text:
    """The text made plain, with these stretches marked."""
    if text is None:
        return Text("-")
    shown = Text()
    at = 0
    for start, end in spans:
        if end <= at:
            continue
        shown.append(plain(text[at : max(start, at)]))
        shown.append(plain(text[max(start, at) : end]), MARK)
        at = end
    return shown.append(plain(text[at:]))


def _matched(text: str, spans: Sequence[tuple[int, int]]) -> Text:
    raw = text.encode()
    shown = Text()
    for start, end in spans[:3]:
        shown.append(plain(raw[start:end].decode("utf-8", "replace")), MARK).append(" ")
    return shown
