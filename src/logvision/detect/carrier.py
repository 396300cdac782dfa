"""The carrier: the parameter that a value comes in.

Half a proof in a parameter that takes a number or a name is more than in a search field, where people write
what they like, and where one proof alone is no incident yet. Of the parameters only the names are looked at:
nothing is learned here. What a site's own parameters hold is the business of `context`.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import re2

from logvision.detect.canonical import canonical_text
from logvision.detect.fusion import Evidence, Verdict
from logvision.detect.traits import leaves_text
from logvision.detect.verify.proofs import AnyOf
from logvision.detect.verify.sql import is_statement
from logvision.schema import Attack

DOUBT: Final = 0.25
"""A verdict on a value from here to ALARM is weighed by its carrier."""

ALARM: Final = 0.5

PER_BATCH: Final = 5000
"""Values of requests weighed in one batch; some 10 µs each. What is beyond stands as it was."""

CLOSED: Final = 2.2
OTHER: Final = 1.5
OPEN: Final = 1.0
BY_ITSELF: Final = 1.7
WRITTEN: Final = 0.9
SOUGHT: Final = 0.85
LED: Final = 0.8
STATED: Final = 0.7
"""How many independent doubts half a proof is worth in a parameter that takes numbers or names, in one of no
known use, in what is no parameter, in one that takes numbers or names where only the classifier speaks,
in one that takes what people write, in one that takes what people look for and holds words without a mark of
syntax, in one where a browser is led to and in one that takes statements of SQL and holds a whole one (where
it counts as in OPEN): the score s becomes 1 - (1 - s) ** weight. Set on the quality bench's training
sites."""

ALONE: Final = 0.8
"""The most that a value is worth in a parameter that takes what people write: an attack, and below what makes
an incident of a single request (`tracks.SURE`), for people search for code and write about attacks."""

DOUBTED: Final = 0.3
"""The most that a whole statement is worth where statements are asked for, and a command or an address where
people look for things, with no mark that would start or leave anything: nothing is injected, and who may ask
is the business of the page. Files stay what they are: lists of them are sprayed at searches."""

LOOKED_FOR: Final = 0.9
"""A reading stronger than this stands also in a search: a shell that is connected back."""
_LOOKED_FOR: Final = frozenset({Attack.RCE, Attack.SSRF})
_SECRETS: Final = AnyOf(r"(?i)passwd|shadow|\.ini\b|id_rsa|\.ssh|environ|\.env|\.git")
_WORDS: Final = AnyOf(r"^(?:[\w \-,:/@~+=]|\.\b){1,120}$")

_LOOKUP: Final = r"\$?(?:not)?i?(?:exact|eq|contains|like|starts_?with|ends_?with|regex|glob)i?"
"""How a field is searched: `name__icontains`, `title_like`, `filters[name][$containsi]`."""

_WRITTEN: Final = re2.compile(
    rf"(?i)(?:^|[\[.:_-])(?:{_LOOKUP}|q|qs?|s|k|kw|wd|w|p|query\w*|\w*search\w*|keywords?|terms?|text|\w*text|msg|messages?|comments?|body|"
    r"content\w*|descr?(?:iption)?|subject|notes?|summary|html|xml|soap|saml\w*|markup|markdown|code|sql|script|css|style|expr\w*|expression|"
    r"formula|\w*filters?|where|jql|cql|rql|fq|lucene|regex\w*|pattern|string|str|input|data|d|json|payload|snippet|source|src|"
    r"answers?|questions?|address|street|caption|topic|quote|phrase|words?|find|lookup|suggest|prefix|variables|stmt|"
    r"statement|criteria|conditions?|match|stack|error|err|log|event|e|u|url|uri|link|ref|referr?er|dl|dr|dt|signature|"
    r"state|token|sig|hash|cookie|session|callback|cb|jsonp?|template|tpl|draft|autosave|translate|m|r|c|t|v|x|z|ua|title|"
    r"name|value|size|width|height|length|ids)\]?(?:\[\d{0,3}\])?$"
)
_SEARCHED: Final = re2.compile(
    rf"(?i)(?:^|[\[.:_-])(?:{_LOOKUP}|q|qs?|s|k|kw|wd|query\w*|\w*search\w*|keywords?|terms?|text|topic|phrase|words?|find|lookup|"
    r"suggest|prefix|[a-z]{0,3}filters?(?:[._-]\w+)?)\]?$"
)
"""Parameters that take what people look for."""

_PLAIN: Final = string.ascii_letters.encode() + string.digits.encode() + b"_.,:|-"
_PLAIN_LENGTH: Final = 64
"""What a value of another parameter may be beside a search, so that the search alone is in question."""

_TAKES_NUMBER: Final = re2.compile(
    r"(?i)(?:^|[\[._-]|[a-z])(?:id|no|num|number|idx|index|uid|pid|cid|gid|sid|tid|nid|aid|fid|item|cat|category|page|"
    r"pg|page_?id|limit|offset|start|rows|year|month|day|date|lang|locale|type|level|count|"
    r"quantity|qty|price|product|article|news|user|username|login|order|orderby|sort|sort_?by|dir|direction|view|mode|"
    r"act|action|do|cmd|option|module|file|path|dir|doc|document|folder|section|tab|step|status|group|brand|model)\]?$"
)
_LED: Final = re2.compile(r"(?i)^(?:post_?logout_?)?redirect_?ur[il]$|^(?:wreply|relaystate|oauth_callback)$")
"""Where a sign-in leads the browser to, the programs on the visitor's own machine included (RFC 8252)."""
_TAKES_SQL: Final = re2.compile(
    r"(?i)(?:^|[\[._-])(?:sql(?:_?(?:query|text|statement|string))?|statement|stmt)\]?$"
)
_TAKES_QUERY: Final = re2.compile(r"(?i)^(?:q|query)$")
_QUERIED: Final = AnyOf(r"(?i)/(?:query|sql|export)(?:$|[./])")
"""Parameters that take statements of SQL by their own name, and by their page's (InfluxDB, rqlite, CARTO)."""
_CONSOLE: Final = AnyOf(
    r"(?i)/(?:php-?my-?admin|pma|adminer|phppgadmin|phpliteadmin|pgadmin\d?)[\w.-]*(?:/|$)"
)
"""Screens for a whole database."""
OWN_MACHINE: Final = 0.6
"""An address of the machine itself with a port scores less."""

_WRITING: Final = AnyOf(
    r"(?i)search|query|sparql|graphql|prom(?:etheus)?|grafana|wiki|/w/|sql|adminer|phpmyadmin|edit|preview|render|playground|"
    r"console|solr|elastic|odata|/(?:wfs|ows|wms)|geoserver|collect|beacon|pixel|analytics|track|/logs?\b|suggest|autocomplete|"
    r"translat|paste|compile|jira|calc|regex|/e\b|/t\b|/r\b"
)
"""Pages on which people write code, queries and formatted text, and those that take what other pages show."""

_OF_ADDRESSES: Final = frozenset(
    {
        Attack.TRAVERSAL,
        Attack.SSRF,
        Attack.REDIRECT,
        Attack.RFI,
        Attack.SENSITIVE,
        Attack.WEBSHELL,
        Attack.PROBE,
    }
)
"""Whether these are attacks depends on where the address points, not on who carries it."""

_WRITTEN_ABOUT: Final = frozenset(
    {
        *(
            Attack.SQLI,
            Attack.NOSQLI,
            Attack.XSS,
            Attack.PHP,
            Attack.CODE,
            Attack.SSTI,
            Attack.JAVA,
            Attack.RCE,
        ),
        *(Attack.SSI, Attack.GRAPHQL, Attack.PROTOTYPE, Attack.TRAVERSAL, Attack.SSRF, Attack.SENSITIVE),
    }
)


def weight(path: str, name: str, value: bytes = b"") -> float:
    """How much half a proof is worth in this parameter of this page; `value`: decoded, if at hand."""
    by = _of_name(name)
    if value and _takes_sql(path, name) and is_statement(value.decode("latin-1"), catalogue=_CONSOLE(path)):
        return STATED
    if value and _is_searched(name) and _is_words(value.decode("latin-1")):
        return SOUGHT
    return WRITTEN if by > WRITTEN and _WRITING(path) else by


def _is_words(text: str) -> bool:
    return _WORDS(text) and not _SECRETS(text)


def _takes_sql(path: str, name: str) -> bool:
    sql, query = _taken(name)
    return sql or (query and _QUERIED(path))


@lru_cache(1024)
def _taken(name: str) -> tuple[bool, bool]:
    """Whether a parameter of this name takes SQL, and whether it does where data are asked for."""
    return _TAKES_SQL.search(name) is not None, _TAKES_QUERY.search(name) is not None


def _of_name(name: str) -> float:
    """The weight by the parameter's name alone. Short names come again and again and are remembered."""
    return _remembered(name) if len(name) <= _SHORT else _named(name)


_SHORT: Final = 80


@lru_cache(4096)
def _remembered(name: str) -> float:
    return _named(name)


def _named(name: str) -> float:
    if _LED.search(name):
        return LED
    if _WRITTEN.search(name):
        return WRITTEN
    return CLOSED if _TAKES_NUMBER.search(name) else OTHER


def weighed(verdict: Verdict, by: float) -> Verdict:
    """The verdict in a carrier of this weight."""
    if by == STATED and verdict.attack is Attack.SQLI:
        return Verdict(min(verdict.score, DOUBTED), verdict.attack, verdict.rules)
    if by == SOUGHT and _is_looked_for(verdict):
        return Verdict(min(verdict.score, DOUBTED), verdict.attack, verdict.rules)
    if by == LED and _is_own_machine(verdict):
        return Verdict(1 - verdict.score, verdict.attack, verdict.rules)
    if by <= WRITTEN and verdict.score > ALONE and verdict.attack in _WRITTEN_ABOUT:
        return Verdict(ALONE, verdict.attack, verdict.rules)
    if verdict.attack is None:  # the classifier alone is heard where numbers and names belong
        by = BY_ITSELF if by == CLOSED else OPEN
    if by <= OPEN or not _in_doubt(verdict):
        return verdict
    return Verdict(1 - (1 - verdict.score) ** by, verdict.attack or Attack.ANOMALY, verdict.rules)


def sought(target: str) -> bytes | None:
    """What somebody looked for with this target, where nothing else of it can be an attack: the value of a
    parameter that takes what people look for and that it does not leave (`traits.leaves_text`). None: it
    leaves it, or the path or another parameter is in question too. Cost: 10 µs.
    """
    path, _, query = target.encode("utf-8", "surrogateescape").partition(b"?")
    if not _PATH.fullmatch(path):
        return None
    found: list[bytes] = []
    for pair in query.split(b"&", PARAMETERS)[:PARAMETERS]:
        name, _, value = pair.partition(b"=")
        if _is_plain(value) and _is_plain(name):
            if _is_searched(name.decode("latin-1")):
                found.append(value)
            continue
        text = canonical_text(value, query=True)
        if not _is_searched(canonical_text(name[:_SHORT], query=True).decode("latin-1")) or leaves_text(text):
            return None
        found.append(text)
    return max(found, key=len, default=None)


def _is_plain(text: bytes) -> bool:
    return len(text) <= _PLAIN_LENGTH and not text.translate(None, _PLAIN)


@lru_cache(4096)
def _is_searched(name: str) -> bool:
    return _SEARCHED.search(name) is not None


def leaves(target: str) -> bool:
    """Whether it is more than what somebody may look for. Short targets are remembered: tools repeat them."""
    return _remembered_leaves(target) if len(target) <= _LONGEST_KEPT else sought(target) is None


_LONGEST_KEPT: Final = 256


@lru_cache(4096)
def _remembered_leaves(target: str) -> bool:
    return sought(target) is None


_PATH: Final = re2.compile(rb"(?:/[\w-]+(?:\.\w+)*)*/?")


def matters(verdict: Verdict) -> bool:
    """Whether a carrier can change it."""
    return (
        _in_doubt(verdict)
        or verdict.score > ALONE
        or verdict.attack is Attack.SQLI
        or _is_looked_for(verdict)
        or _is_own_machine(verdict)
    )


def _is_looked_for(verdict: Verdict) -> bool:
    return verdict.attack in _LOOKED_FOR and verdict.score <= LOOKED_FOR


def _is_own_machine(verdict: Verdict) -> bool:
    return verdict.attack is Attack.SSRF and ALARM <= verdict.score < OWN_MACHINE


def _in_doubt(verdict: Verdict) -> bool:
    return DOUBT <= verdict.score < ALARM and verdict.attack not in _OF_ADDRESSES


@dataclass
class Carriers:
    """The carriers of one batch's values."""

    left: int = PER_BATCH
    _names: dict[int, dict[bytes, float]] = field(default_factory=dict)
    _known: dict[tuple[int, float], tuple[Verdict, Verdict]] = field(default_factory=dict)

    def weighed(self, verdict: Verdict, owner: int, target: str, text: bytes) -> Verdict:
        """The verdict on a value of a request's target; one object for equal verdicts of equal weight."""
        if self.left <= 0:
            return verdict
        self.left -= 1
        of_target = self._names.get(owner)
        if of_target is None:
            of_target = self._names[owner] = weights(target.encode("utf-8", "surrogateescape"))
        by = weight_of(of_target, text)
        if by == OPEN:
            return verdict
        known = self._known.get((id(verdict), by))
        if known is None:
            # The verdict is kept beside the answer, so that its id stays its own.
            known = self._known[id(verdict), by] = (weighed(verdict, by), verdict)
        return known[0]


EVIDENCE: Final = {
    WRITTEN: Evidence(
        "carrier",
        Attack.ANOMALY,
        0.0,
        "Against it: people write freely into its parameter, so it is none alone.",
    ),
    STATED: Evidence(
        "carrier",
        Attack.ANOMALY,
        0.0,
        "Against it: its parameter takes statements of SQL, and it is a whole one.",
    ),
    SOUGHT: Evidence(
        "carrier",
        Attack.ANOMALY,
        0.0,
        "Against it: people look for words there, and no mark in it would start or leave anything.",
    ),
    LED: Evidence(
        "carrier",
        Attack.ANOMALY,
        0.0,
        "Against it: a browser is led there, and its own machine answers for itself.",
    ),
    CLOSED: Evidence(
        "carrier", Attack.ANOMALY, 0.0, "Its parameter takes numbers or names: half a proof counts double."
    ),
    OTHER: Evidence(
        "carrier",
        Attack.ANOMALY,
        0.0,
        "Its parameter is none that people write into: half a proof counts more.",
    ),
}
"""What an explanation says of a carrier that made a difference."""

PARAMETERS: Final = 200
"""Parameters of one target that are looked at."""


def weights(target: bytes) -> dict[bytes, float]:
    """What half a proof is worth by decoded value; of parameters that hold the same value the least."""
    path, _, query = target.partition(b"?")
    page = path.decode("latin-1")
    found: dict[bytes, float] = {}
    for pair in query.split(b"&", PARAMETERS)[:PARAMETERS]:
        name, equals, value = pair.partition(b"=")
        if equals:
            said = canonical_text(name[:80], query=True).decode("latin-1")
            text = canonical_text(value, query=True)
            by = min(weight(page, said, text), _led_back(text))
            found[text] = min(found.get(text, by), by)
    return found


def _led_back(address: bytes) -> float:
    """The weight of an address within a value where nothing but what people look for can be an attack: the
    search that a sign-in leads back to. Of anything else it is one that makes no difference."""
    path, asked, query = address.partition(b"?")
    if not asked or not _PATH.fullmatch(b"/" + path.removeprefix(b"/")):
        return CLOSED
    by = 0.0
    for pair in query.split(b"&", PARAMETERS)[:PARAMETERS]:
        name, _, value = pair.partition(b"=")
        if not _is_plain(value):
            text = value.replace(b"+", b" ")
            by = max(by, weight(path.decode("latin-1"), name[:_SHORT].decode("latin-1"), text))
    return by if 0 < by <= WRITTEN else CLOSED


def weight_of(found: dict[bytes, float], text: bytes) -> float:
    """What half a proof is worth in this text by `weights`: a value, or a piece of one, such as a string
    inside of a document, in which people write what they like as they do around it."""
    by = found.get(text)
    if by is not None:
        return by
    bare = text.replace(b"\\", b"")  # a document escapes quotes inside of its strings
    written = any(each <= WRITTEN and bare in value.replace(b"\\", b"") for value, each in found.items())
    return WRITTEN if written else OPEN
