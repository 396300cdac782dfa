from __future__ import annotations

from enum import StrEnum

import pytest

from logvision.detect import story
from logvision.incident import Status
from logvision.respond.report import ATTACKS, TRAFFIC
from logvision.respond.words import Language, Words, count, moment, share, size
from logvision.schema import Attack, Outcome, Reason, Severity, Stage


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("attack", Attack),
        ("outcome", Outcome),
        ("severity", Severity),
        ("stage", Stage),
        ("reason", Reason),
        ("case", Status),
    ],
)
def test_every_value_of_a_closed_set_has_a_name(language: Language, kind: str, values: type[StrEnum]) -> None:
    words = Words(language)
    assert [value for value in values if not words[f"{kind}.{value.value}"]] == []


@pytest.mark.parametrize("language", list(Language))
def test_every_section_has_a_title(language: Language) -> None:
    assert all(Words(language)[section.key] for section in (*TRAFFIC, *ATTACKS))


def test_every_advice_of_the_detection_is_said_in_chinese() -> None:
    keys = list(story._ADVICE)
    said = Words(Language.ZH).advice({"advice_keys": keys, "advice": [""] * len(keys)})
    assert [key for key, sentence in zip(keys, said, strict=True) if not sentence] == []


INCIDENT = {
    "summary": "203.0.113.7 (CN) tried SQL injection: 5 requests within 2 hours; every attempt was refused.",
    "summary_key": "actor",
    "summary_args": {
        "actor": "203.0.113.7",
        "members": 1,
        "site": "shop.example",
        "country": "CN",
        "attacks": ["sqli", "xss"],
        "events": 1234,
        "seconds": 7300,
        "outcome": "blocked",
    },
}


def test_what_happened_is_said_in_either_language() -> None:
    assert Words(Language.EN).summary(INCIDENT) == INCIDENT["summary"]
    assert Words(Language.ZH).summary(INCIDENT) == (
        "203.0.113.7（CN）在 shop.example 上尝试SQL 注入、跨站脚本：2 小时内 1,234 个请求；所有尝试均被拒绝。"
    )


def test_a_sentence_of_an_unknown_form_stays_english() -> None:
    assert Words(Language.ZH).summary(INCIDENT | {"summary_key": "new"}) == INCIDENT["summary"]


def test_numbers() -> None:
    assert count(1234567) == "1,234,567"
    assert [share(0, 5), share(1, 0), share(1, 10_000), share(1, 3)] == ["0 %", "0 %", "< 0.1 %", "33.3 %"]
    assert [size(999), size(1536), size(5 << 40)] == ["999 B", "1.5 KiB", "5.0 TiB"]
    assert [moment(None), moment("2024-05-14T12:00:00.123456Z")] == ["-", "2024-05-14 12:00:00"]
