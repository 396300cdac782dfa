"""Marks say which readers may find something: too many now and then, never too few."""

from __future__ import annotations

import re
from pathlib import Path

import hyperscan
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from logvision import search
from logvision.detect.units import Kind
from logvision.detect.verify import code, ldap, markup, path, shell, sql, template, url, verify, verify_all
from logvision.detect.verify.given import HEAD, TAIL
from logvision.detect.verify.marks import Marks, Texts
from logvision.detect.verify.proofs import AnyOf, Proofs
from logvision.detect.verify.sql_tokens import WORDS

BENCH = Path(__file__).parents[2] / "bench"
KINDS = (Kind.PATH, Kind.NAME, Kind.VALUE, Kind.AGENT, Kind.REFERER, Kind.URL)
# fmt: off
PIECES = (
    "'", '"', "`", "\\", "\\'", "+", " ", "\n", "\0", "\v", "\t", "$", "$$", "^", "<", ">", "(", ")", "[",
    "]", "{", "}", "%", ";", "|", "&", "#", "--", "*/", "::int", "=", "!=", "@>", "1", "1e+5", ".", ",", "..",
    "/", "/./", "a", "O'Neill", "foo(", "sleep(", "\xa0", "\xe9", "\xe2\x80\x99", "http://", "//", "@", ":",
    "?", "127.0.0.1", "localhost", "etc/passwd", ".git", "<b", "alert(1)", "on", "id", "cat ", "${", "jndi:",
    "{{", "7*7", *WORDS,
)
# fmt: on
spliced = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


def expressions() -> list[str]:
    """Whatever the readers look for, in all that holds it: expressions, automata, tuples of both."""
    found: set[str] = set()
    left: list[object] = [
        held
        for reader in (code, ldap, markup, path, shell, sql, template, url)
        for held in vars(reader).values()
    ]
    while left:
        match left.pop():
            case tuple() as several:
                left += several
            case AnyOf() | Proofs() as automaton:
                found.update(automaton.expressions)
            case one if isinstance(one, type(sql._MARKS)):
                found.add(one.pattern if isinstance(one.pattern, str) else one.pattern.decode())
    return sorted(found)


def payloads() -> list[str]:
    lines = [line for name in ("payloads.txt", "payloads-held-out.txt") for line in lines_of(BENCH / name)]
    lookalikes = [line for path in sorted((BENCH / "lookalikes").glob("*.txt")) for line in lines_of(path)]
    return [line.partition(" ")[2] for line in lines] + lookalikes


def lines_of(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def one_by_one(texts: list[bytes], kind: Kind) -> list[list[object]]:
    return [list(verify(text, kind)) for text in texts]


def all_at_once(texts: list[bytes], kind: Kind) -> list[list[object]]:
    return [list(each) for each in verify_all(texts, [int(kind)] * len(texts))]


@pytest.mark.parametrize("kind", KINDS)
def test_of_payloads_and_lookalikes_all_at_once_says_what_reading_each_says(kind: Kind) -> None:
    texts = [line.encode() for line in payloads()]
    texts += [
        text[:at] + byte + text[at:] for text in texts[::9] for at in (1, 9) for byte in (b"\n", b"\v", b"\0")
    ]
    texts += [b"x" * HEAD + text + b"y" * TAIL for text in texts[::50]]
    texts += [b"y" * HEAD + b"x" * TAIL + text for text in texts[::50]]
    assert len(texts) > 1500
    assert all_at_once(texts, kind) == one_by_one(texts, kind)


@examples(1000)
@given(st.lists(spliced, max_size=12), st.sampled_from(KINDS))
def test_of_any_texts_all_at_once_says_what_reading_each_says(texts: list[str], kind: Kind) -> None:
    encoded = [text.encode("latin-1", "replace") for text in texts]
    assert all_at_once(encoded, kind) == one_by_one(encoded, kind)


@examples(100)
@given(
    st.lists(
        st.sampled_from(expressions()).flatmap(lambda each: st.from_regex(re.compile(each, re.A))),
        max_size=20,
    ),
    st.sampled_from(KINDS),
)
def test_of_what_readers_look_for_all_at_once_says_what_reading_each_says(
    texts: list[str], kind: Kind
) -> None:
    encoded = [text.encode("latin-1", "replace") for text in texts]
    assert all_at_once(encoded, kind) == one_by_one(encoded, kind)


@examples(1000)
@given(st.lists(st.tuples(st.sampled_from(payloads()), spliced, st.integers(0, 40)), max_size=8))
def test_of_payloads_with_something_put_in_all_at_once_says_the_same(
    mixed: list[tuple[str, str, int]],
) -> None:
    encoded = [(text[:at] + piece + text[at:]).encode("utf-8") for text, piece, at in mixed]
    assert all_at_once(encoded, Kind.VALUE) == one_by_one(encoded, Kind.VALUE)


OF_READERS = {1: ["(?i)attack$", r"a{2,40}b"], 2: [r"\s\xe9"]}
TEXTS = [b"an Attack", b"attacks", b"", b"aaab", b"two\nlines: \xe9", b"x\n\xe9"]


def test_a_mark_stands_inside_of_one_text() -> None:
    marks, texts = Marks(OF_READERS), Texts(TEXTS)
    assert marks.held(1, texts).tolist() == [0, 3]
    assert marks.held(2, texts).tolist() == [4, 5]
    assert marks.held(1, Texts([])).tolist() == []


def test_compiled_marks_are_kept_and_a_bad_entry_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    texts = Texts(TEXTS)
    assert Marks(OF_READERS).held(1, texts).tolist() == [0, 3]
    (entry,) = (tmp_path / "logvision").glob("marks-*.bin")
    kept = entry.read_bytes()
    monkeypatch.setattr(search, "compiled", None)  # loaded, not compiled
    assert Marks(OF_READERS).held(2, texts).tolist() == [4, 5]
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for damaged in (kept[:-1], kept[:-2000] + b"x" * 9 + kept[-1991:]):
        entry.write_bytes(damaged)
        assert Marks(OF_READERS).held(2, texts).tolist() == [4, 5]
        assert entry.read_bytes() == kept


def test_marks_compiled_for_another_processor_are_compiled_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Marks(OF_READERS).held(1, Texts(TEXTS))

    def foreign(_dumped: bytes, mode: int) -> object:
        raise hyperscan.error("built for another platform")

    monkeypatch.setattr(hyperscan, "loadb", foreign)
    assert Marks(OF_READERS).held(1, Texts(TEXTS)).tolist() == [0, 3]


def test_without_a_cache_folder_marks_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    assert Marks(OF_READERS).held(1, Texts(TEXTS)).tolist() == [0, 3]
