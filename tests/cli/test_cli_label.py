"""`logvision label`, `queue` and `learn`: what people say of events, whom to ask next, what comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from cli_logs import HOSTILE_TARGET, line, mixed, write
from logvision.app import parts
from logvision.app.learning import PROMOTED, promoted
from logvision.detect import Detector

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(command: Command, tmp_path: Path) -> Path:
    code, _, _ = command("scan", mixed(tmp_path / "access.log"), "--data", tmp_path / "data", "--json")
    assert code == 0
    return tmp_path / "data"


def event_of(command: Command, data: Path, query: str) -> str:
    _, out, _ = command("export", "events", "--data", data, "--query", query)
    row = json.loads(out.splitlines()[0])
    return f"{row['source']}@{row['position']}"


def listed(command: Command, data: Path) -> list[dict[str, object]]:
    code, out, _ = command("label", "list", "--data", data, "--json")
    assert code == 0
    return [json.loads(row) for row in out.splitlines()]


def test_a_label_keeps_its_request_and_a_later_one_replaces_it(command: Command, data: Path) -> None:
    about = event_of(command, data, "attack:*")
    assert command("label", "add", about, "--attack", "sqli", "--author", "ann", "--data", data)[0] == 0
    assert (
        command("label", "add", about, "--benign", "--note", "x", "--author", "bob", "--data", data)[0] == 0
    )
    (kept,) = listed(command, data)
    assert (kept["event"], kept["attack"], kept["author"], kept["target"]) == (
        about,
        None,
        "bob",
        HOSTILE_TARGET,
    )
    _, out, _ = command("label", "list", "--data", data)
    assert "benign" in out
    assert "by bob: x" in out


def test_a_label_of_an_incident_is_one_of_all_its_evidence(command: Command, data: Path) -> None:
    _, out, _ = command("export", "incidents", "--data", data)
    incident = json.loads(out.splitlines()[0])
    _, _, err = command("label", "add", incident["id"], "--attack", "xss", "--data", data)
    assert f"{len(incident['evidence'])} labelled" in err
    assert {row["incident"] for row in listed(command, data)} == {incident["id"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nobody@1", "--benign"), "'nobody@1'"),
        (("nobody", "--benign"), "'nobody'"),
        (("a@1",), "either --attack CLASS or --benign"),
        (("a@1", "--benign", "--attack", "sqli"), "either --attack CLASS or --benign"),
    ],
)
def test_what_cannot_be_labelled_is_said(
    command: Command, data: Path, words: tuple[str, ...], says: str
) -> None:
    code, _, err = command("label", "add", *words, "--data", data)
    assert code == 2
    assert says in err
    assert listed(command, data) == []


def test_the_queue_asks_about_what_the_classifier_does_not_see_until_it_is_labelled(
    command: Command, data: Path
) -> None:
    code, out, _ = command("queue", "--data", data, "--json")
    (row,) = [json.loads(one) for one in out.splitlines()]
    assert (code, row["side"], row["event"]["target"]) == (0, "rules", HOSTILE_TARGET)
    _, out, _ = command("queue", "--data", data)
    assert "the model sees nothing" in out
    assert "\u202e" not in out
    command("label", "add", row["event"]["id"], "--attack", "sqli", "--data", data)
    _, out, err = command("queue", "--data", data)
    assert (out, err) == ("", "rules and classifier agree\n")


def test_too_few_labels_are_refused_with_their_number(command: Command, data: Path) -> None:
    command("label", "add", event_of(command, data, "attack:*"), "--benign", "--data", data)
    code, out, _ = command("learn", "--data", data)
    assert code == 1
    assert "1 labels, 0 of them attacks" in out
    assert "refused: 1 labels, 0 of them attacks; it takes 20 and some of either kind" in out
    assert promoted(data) is None


@pytest.fixture
def labelled(command: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with labels of thirteen harmless pieces of markup and twelve attacks."""
    words = [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "kilo",
        "lima",
        "mike",
        "nova",
        "oscar",
        "papa",
        "red",
        "sierra",
    ]
    values = [f'<div class="{word}">{word}</div>' for word in words]
    values += [f"{n}' or '{n}'='{n}" for n in range(6)] + [f"<script>alert({n})</script>" for n in range(6)]
    lines = [line(100 + n, f"/s?q={quote(value)}") for n, value in enumerate(values)]
    command("scan", write(tmp_path / "s.log", lines), "--data", data, "--json")
    _, out, _ = command("export", "events", "--data", data, "--query", "path:/s")
    for text in out.splitlines():
        row = json.loads(text)
        said = ("--benign",) if "div" in row["target"] else ("--attack", "sqli")
        command("label", "add", f"{row['source']}@{row['position']}", *said, "--data", data)
    monkeypatch.setattr(parts, "Detector", Detector)
    return data


@pytest.mark.slow
def test_a_better_model_is_promoted_used_and_forgotten_again(command: Command, labelled: Path) -> None:
    code, out, _ = command("learn", "--data", labelled, "--try")
    assert (code, promoted(labelled)) == (0, None)
    assert "it is better" in out
    code, out, _ = command("learn", "--data", labelled, "--json")
    said = json.loads(out)
    assert (code, said["promoted"], said["labels"]) == (0, True, 24)
    assert said["after"]["loss"] < said["before"]["loss"]
    assert promoted(labelled) == labelled / PROMOTED
    harmless = line(0, f"/s?q={quote('<div class=' + chr(34) + 'zulu' + chr(34) + '>zulu</div>')}")

    def doubt() -> float:
        _, out, _ = command("explain", harmless, "--data", labelled, "--json")
        return max([unit["model"] or 0.0 for unit in json.loads(out)["units"]], default=0.0)

    corrected = doubt()
    assert command("learn", "--forget", "--data", labelled) == (0, "", "the shipped model is used\n")
    assert corrected < 0.4 < doubt()
    assert command("learn", "--forget", "--data", labelled)[2] == "the shipped model is used already\n"


@pytest.mark.slow
def test_what_would_be_judged_worse_of_a_reference_of_ones_own_refuses_a_model(
    command: Command, labelled: Path, tmp_path: Path
) -> None:
    words = ("echo", "fox", "golf", "hotel", "india", "juliet", "quebec", "romeo", "uniform", "victor") * 60
    with (tmp_path / "own.jsonl").open("w") as file:
        for n, word in enumerate(words):
            url = f"/s?q={quote(f'<div class={chr(34)}{word}{chr(34)}>{word}{n}</div>')}"
            file.write(json.dumps({"set": "own", "label": "attack", "url": url}) + "\n")
    code, out, _ = command("learn", "--data", labelled, "--reference", tmp_path / "own.jsonl", "--json")
    said = json.loads(out)
    assert (code, said["promoted"]) == (1, False)
    assert said["refused"] != []
    code, _, err = command("learn", "--data", labelled, "--reference", tmp_path / "none.jsonl")
    assert code == 2
    assert "none.jsonl" in err


@pytest.mark.slow
def test_a_broken_promoted_model_is_a_mistake_of_the_set_up(command: Command, labelled: Path) -> None:
    (labelled / "models").mkdir()
    (labelled / PROMOTED).write_bytes(b"no model")
    code, _, err = command("explain", line(), "--data", labelled)
    assert code == 2
    assert "promoted.npz" in err
