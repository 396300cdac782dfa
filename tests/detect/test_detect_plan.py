"""What rules say does not depend on what is searched for first."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision.detect import rules as written
from logvision.detect.plan import patterns_of, planned
from logvision.detect.rules import (
    All,
    AnyOf,
    Atom,
    Condition,
    Not,
    Pattern,
    Rule,
    RuleSet,
    Same,
    of_one_unit,
    positive,
)
from logvision.detect.scopes import Rows
from logvision.detect.signature import Signatures
from logvision.detect.split import split
from logvision.detect.units import Ints, Kind, Owners, Units
from logvision.schema import Attack, Severity

WORDS = ("one", "two", "three", "four", "five")
KINDS = (Kind.PATH, Kind.VALUE, Kind.TARGET, Kind.AGENT, Kind.PATH | Kind.AGENT, Kind.RAW_TARGET)
METHODS = ("GET", "POST", "TRACE", "TRACK")


def rule(condition: Condition, scope: str) -> Rule:
    return Rule(
        "r", "r", Attack.PROBE, Severity.LOW, 0.9, condition, scope, (), written.Tests(), Path("r.yml")
    )


def rule_set(*rules: Rule) -> RuleSet:
    patterns = tuple(Pattern((word,), False, "r") for word in WORDS)
    return RuleSet(rules, patterns, (), "1")


def atoms(kinds: tuple[Kind, ...]) -> st.SearchStrategy[Condition]:
    return st.builds(Atom, st.integers(0, len(WORDS) - 1), st.sampled_from(kinds))


def conditions(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.recursive(
        leaves,
        lambda part: st.one_of(
            st.builds(All, st.lists(part, min_size=2, max_size=3).map(tuple)),
            st.builds(AnyOf, st.lists(part, min_size=2, max_size=3).map(tuple)),
            st.builds(Not, part),
        ),
        max_leaves=6,
    )
    return parts.filter(positive)


OF_UNIT = conditions(atoms(KINDS)).map(lambda each: rule(each, "unit"))
OF_ROW = st.one_of(
    conditions(st.one_of(atoms(kinds), st.builds(Same, st.just("cs-method"), methods))).map(
        lambda each: rule(each, "row")
    )
    for kinds in (KINDS, (Kind.TARGET, Kind.RAW_TARGET))
    for methods in (st.sampled_from([("TRACE",), ("TRACE", "TRACK"), ("POST",)]),)
)
TEXTS = st.lists(st.sampled_from([*WORDS, "/", "?a=", "x"]), max_size=6).map("".join)
REQUESTS = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(METHODS)), min_size=1, max_size=8)


def holds(condition: Condition, texts: list[tuple[int, str]], method: str) -> bool:
    """Of these texts, each with its kind, and this method: read off the condition."""
    if len(texts) > 1 and of_one_unit(condition):
        return any(holds(condition, [text], method) for text in texts)
    match condition:
        case Atom(number, kinds):
            return any(kind & kinds and WORDS[number] in text for kind, text in texts)
        case Same(_, values):
            return method in values
        case All(parts):
            return all(holds(part, texts, method) for part in parts)
        case AnyOf(parts):
            return any(holds(part, texts, method) for part in parts)
        case Not(part):
            return not holds(part, texts, method)
    raise TypeError(condition)


def asked(requests: list[tuple[str, str, str]]) -> tuple[Units, Rows, list[tuple[int, str]]]:
    targets, target = np.unique([each for each, _, _ in requests], return_inverse=True)
    agents, agent = np.unique([each for _, each, _ in requests], return_inverse=True)
    owners = Owners(*(pa.array(list(each), pa.string()) for each in (targets, agents, [])))
    none = np.full(len(requests), -1, np.int64)
    method: Ints = np.array([METHODS.index(each) for _, _, each in requests], np.int64)
    rows = Rows((target, agent + owners.first_agent, none), {"cs-method": (list(METHODS), method)})
    units = split(owners)
    return (
        units,
        rows,
        list(zip(units.kind.tolist(), map(bytes.decode, units.texts.to_pylist()), strict=True)),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(OF_UNIT, OF_ROW), min_size=1, max_size=4), REQUESTS)
def test_rules_hold_where_their_conditions_read_off_the_texts_hold(
    rules: list[Rule], requests: list[tuple[str, str, str]]
) -> None:
    units, rows, texts = asked(requests)
    of_unit = [
        (index, unit)
        for index, each in enumerate(rules)
        if each.scope == "unit"
        for unit in range(len(units))
        if holds(each.condition, [texts[unit]], "")
    ]
    of_row = []
    for index, each in enumerate(rules):
        for row, (_, _, method) in enumerate(requests):
            owned = np.isin(units.owner, [codes[row] for codes in rows.owners])
            if each.scope == "row" and holds(
                each.condition, [texts[unit] for unit in units.unit[owned].tolist()], method
            ):
                of_row.append((index, row))
    found = Signatures(rule_set(*rules)).find(units, rows)
    assert sorted(zip(found.unit_rule.tolist(), found.unit.tolist(), strict=True)) == of_unit
    assert sorted(zip(found.row_rule.tolist(), found.row.tolist(), strict=True)) == of_row


def test_what_excuses_and_what_must_be_there_besides_is_looked_for_late() -> None:
    name, folder, besides = (Atom(number, Kind.PATH) for number in range(3))
    plan = planned([rule(All((name, besides, Not(folder))), "unit")])
    assert plan.late == {folder.id, besides.id}
    assert plan.in_unit == {name.id}


def test_what_another_rule_looks_for_first_is_not_late() -> None:
    name, folder = (Atom(number, Kind.PATH) for number in range(2))
    plan = planned([rule(All((name, Not(folder))), "unit"), rule(folder, "unit")])
    assert not plan.late


def test_what_only_odd_methods_ask_for_is_late() -> None:
    plan = planned([rule(All((Same("cs-method", ("TRACE",)), Atom(1, Kind.TARGET))), "row")])
    assert plan.late == {1}
    assert plan.odd == {"TRACE"}


def test_a_rule_over_agents_and_targets_knows_all_it_reads_of_every_unit() -> None:
    condition = All((Atom(0, Kind.TARGET), Not(Atom(1, Kind.AGENT))))
    plan = planned([rule(condition, "row")])
    assert not plan.late
    assert set(plan.halves) == set(patterns_of(condition))


def test_what_excuses_in_a_group_is_looked_for_in_the_unit_that_the_group_names() -> None:
    group = All((Atom(0, Kind.PATH), Not(Atom(1, Kind.PATH))))
    plan = planned([rule(AnyOf((group, Atom(2, Kind.TARGET))), "row")])
    assert plan.late == {1}
    assert plan.in_unit == {0, 2}
    assert {atom.id for atom in plan.halves} == {0, 2}


def test_a_page_is_excused_by_itself_and_not_by_another_address_of_the_request() -> None:
    group = All((Atom(0, Kind.PATH), Not(Atom(1, Kind.PATH))))
    signatures = Signatures(rule_set(rule(AnyOf((group, Atom(2, Kind.AGENT))), "row")))
    requests = ["/one", "/one/two", "/one?a=https://x/two", "/three?a=https://x/one"]
    units, rows, _ = asked([(target, "", "GET") for target in requests])
    assert signatures.find(units, rows).row.tolist() == [0, 2, 3]


def test_hints_are_left_out_only_for_units_that_are_read_in_any_case() -> None:
    hint, sure = rule(Atom(0, Kind.PATH), "unit"), rule(Atom(1, Kind.PATH), "unit")
    signatures = Signatures(rule_set(replace(hint, confidence=0.01), sure))
    units, rows, texts = asked([("/one/two", "", "GET"), ("/one", "", "GET"), ("/one/x", "", "GET")])
    read = np.array(["two" in text or text == "/one" for _, text in texts])
    found = signatures.find(units, rows, read)
    said = [(index, texts[unit][1]) for index, unit in zip(found.unit_rule, found.unit, strict=True)]
    assert said == [(0, "/one/x"), (1, "/one/two")]
