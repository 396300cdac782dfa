from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logvision import entries
from logvision.enrich import agent, tables
from logvision.enrich.agent import Agent, Agents

AGENTS = Agents()  # opening is the slow part

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36"
IPHONE = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1"
)
PIXEL = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36"
TABLET = f"Mozilla/5.0 (Linux; Android 13; Lenovo TB350) {WEBKIT} Chrome/126.0.0.0 Safari/537.36"
IPAD = f"Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) {WEBKIT} Version/12.1 Mobile/15E148 Safari/604.1"
TV = f"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) {WEBKIT} Version/6.0 TV Safari/538.1"
CUBOT = f"Mozilla/5.0 (Linux; Android 10; CUBOT X30) {WEBKIT} Chrome/99.0.0.0 Mobile Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BINGBOT = f"{PIXEL} (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
GPTBOT = "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)"
CLAUDEBOT = "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)"
AHREFS = "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"
UPTIME = "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"
FACEBOOK = "facebookexternalhit/1.1"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (CHROME, Agent("Chrome", "Windows", "desktop", None)),
        (IPHONE, Agent("Mobile Safari", "iOS", "mobile", None)),
        (PIXEL, Agent("Chrome Mobile", "Android", "mobile", None)),
        (TABLET, Agent("Chrome", "Android", "tablet", None)),
        (IPAD, Agent("Mobile Safari", "iOS", "tablet", None)),
        (FIREFOX, Agent("Firefox", "Ubuntu", "desktop", None)),
        ("Dalvik/2.1.0 (Linux; U; Android 9; SM-J530F)", Agent("Android", "Android", "mobile", None)),
        (CUBOT, Agent("Chrome Mobile", "Android", "mobile", None)),
        (GOOGLEBOT, Agent("Googlebot", None, "bot", "search:Googlebot")),
        (BINGBOT, Agent("Bingbot", None, "bot", "search:Bingbot")),
        (GPTBOT, Agent("GPTBot", None, "bot", "ai:GPTBot")),
        (CLAUDEBOT, Agent("ClaudeBot", None, "bot", "ai:ClaudeBot")),
        (AHREFS, Agent("AhrefsBot", None, "bot", "seo:AhrefsBot")),
        (UPTIME, Agent("UptimeRobot", None, "bot", "monitor:UptimeRobot")),
        (FACEBOOK, Agent("facebookexternalhit", None, "bot", "social:facebookexternalhit")),
        ("Feedly/1.0 (+http://www.feedly.com/fetcher.html)", Agent("Feedly", None, "bot", "feed:Feedly")),
        ("curl/8.5.0", Agent("curl", None, "tool", "tool:curl")),
        ("sqlmap/1.8#stable (https://sqlmap.org)", Agent("sqlmap", None, "tool", "scanner:sqlmap")),
        ("Mozilla/5.00 (Nikto/2.1.5) (Evasions:None)", Agent("Nikto", None, "tool", "scanner:Nikto")),
        (
            "AcmeSpider/0.1 (+https://acme.example/spider)",
            Agent("AcmeSpider", None, "bot", "other:AcmeSpider"),
        ),
        ("my little crawler", Agent("crawler", None, "bot", "other:crawler")),
        ("", Agent(None, None, None, None)),
        ("zzz", Agent(None, None, None, None)),
    ],
)
def test_a_user_agent_is_read_for_what_it_says(text: str, answer: Agent) -> None:
    assert AGENTS.find([text]) == [answer]


def test_tv_sets_are_tv_sets() -> None:
    assert AGENTS.find([TV])[0].device == "tv"


def test_columns_are_added_to_the_rows() -> None:
    texts = ["curl/8.5.0", None, CHROME, "curl/8.5.0"]
    events = pa.table({"user_agent": pa.array(texts).dictionary_encode()})
    answer = agent.add(events, AGENTS)
    assert answer.to_pydict() == {
        "user_agent": texts,
        "agent": ["curl", None, "Chrome", "curl"],
        "os": [None, None, "Windows", None],
        "device": ["tool", None, "desktop", "tool"],
        "bot": ["tool:curl", None, None, "tool:curl"],
    }
    assert {f.type for f in answer.schema} == {pa.dictionary(pa.int32(), pa.string())}
    assert agent.add(events.slice(0, 0), AGENTS).column_names == answer.column_names


def test_agents_of_one_batch_do_not_run_into_each_other() -> None:
    texts = ["a sql", "map", "x\nsqlmap y", "googlebo", "t zz"]
    assert [a.bot for a in AGENTS.find(texts)] == [None, None, "scanner:sqlmap", None, None]


def test_only_the_head_of_a_huge_agent_is_read() -> None:
    huge = "A" * 1_000_000
    assert AGENTS.find([huge + " sqlmap", "sqlmap " + huge]) == [
        Agent(None, None, None, None),
        Agent("sqlmap", None, "tool", "scanner:sqlmap"),
    ]


def test_attacks_inside_an_agent_are_only_text() -> None:
    texts = [
        "${jndi:ldap://x/a}",
        "() { :;}; /bin/sh",
        "<script>alert(1)</script>",
        "' or 1=1--",
        "\0\x1b[31m",
        "%00",
    ]
    assert [a.agent for a in AGENTS.find(texts)] == [None] * 6


def test_every_named_bot_is_found_under_its_own_class() -> None:
    plain = [
        (kind, name, pattern.replace("\\.", "."))
        for kind, name, pattern in tables.rows("bots.tsv", 3)
        if not set(pattern.replace("\\.", ".")) & set("\\^$()[]?*+|") and kind not in {"none", "other"}
    ]
    found = AGENTS.find([f"Mozilla/5.0 (compatible; {pattern}/1.0)" for _, _, pattern in plain])
    wrong = [
        (kind, name, answer.bot)
        for (kind, name, _), answer in zip(plain, found, strict=True)
        if not (answer.bot or "").startswith(f"{kind}:")
    ]
    assert len(plain) > 300
    assert wrong == []


def test_eighty_scanners_are_known_by_name() -> None:
    assert len({name for kind, name, _ in tables.rows("bots.tsv", 3) if kind == "scanner"}) >= 80


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text(max_size=50), max_size=5, unique=True))
def test_an_answer_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    # Straight to the reader: the kept answers would hide a difference.
    assert AGENTS._read(pa.array(texts, pa.string()))[0] == [
        answer for text in texts for answer in AGENTS._read(pa.array([text], pa.string()))[0]
    ]


def test_kept_expressions_give_the_same_answers_and_bad_ones_are_compiled_again(tmp_path: Path) -> None:
    agents = [CHROME, IPAD, TV, FIREFOX, GPTBOT, UPTIME, "sqlmap/1.8", "AcmeSpider/0.1", ""]
    expected = AGENTS.find(agents)
    assert Agents(tmp_path).find(agents) == expected  # compiles and keeps
    [entry] = tmp_path.glob("agents-*")
    assert Agents(tmp_path).find(agents) == expected  # takes what was kept
    entries.keep(entry, b"of another machine")
    assert Agents(tmp_path).find(agents) == expected
    assert len(entry.read_bytes()) > 100_000  # and keeps them again
