"""The data: every table that crosses a boundary, declared once as column, type, unit, meaning of null.

Text is UTF-8. A byte that is not valid UTF-8 stands as `\\xHH`, the form in which nginx and Apache
log it, so every text column is a string and nothing is lost. Null means "the log does not say"
(the field is `-` or the format lacks it); it never means "empty" or "zero".

Text columns are dictionary-encoded in memory (`TEXT`): work is done once per distinct value, and
17 to 28 % of the lines of a batch are distinct. See `columns.py`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import pyarrow as pa

TEXT: Final = pa.dictionary(pa.int32(), pa.string())
TIME: Final = pa.timestamp("us", tz="UTC")

RECORD: Final = pa.schema(
    [
        # The bytes of one line as read; a line terminator (\n or \r\n) may still stand at the end.
        pa.field("raw", pa.binary(), nullable=False),
        # Name of the source, stable over restarts and rotation, e.g. the path as configured.
        pa.field("source", TEXT, nullable=False),
        # Where the line starts in its source's stream, in bytes since its first byte (files: over
        # all rotated siblings, after decompression) or as a sequence number (syslog, Kafka).
        # Strictly increasing within a source; (source, position) names a line for ever.
        pa.field("position", pa.int64(), nullable=False),
    ]
)
"""One row is a raw line."""

_LINE: Final = [
    pa.field("time", TIME, nullable=False),  # event time: when the server says it happened
    pa.field("source", TEXT, nullable=False),
    pa.field("position", pa.int64(), nullable=False),
]

_REQUEST: Final = [
    pa.field("site", TEXT),  # virtual host; null: the format has none
    pa.field("peer_ip", TEXT),  # address of the TCP peer, canonical text; null: not an address
    pa.field("user", TEXT),  # authenticated user name
    pa.field("method", TEXT),  # as logged; null: the request line was not HTTP
    pa.field("target", TEXT),  # request target exactly as logged, with its query
    pa.field("path", TEXT),  # target up to the first "?", as logged
    pa.field("query", TEXT),  # target after the first "?"; null: no "?" (not: empty)
    pa.field("protocol", TEXT),  # e.g. HTTP/1.1
    pa.field("status", pa.int16()),  # null: 000, "-" or absent
    pa.field("bytes", pa.int64()),  # sent to the client, B; null: "-"
    pa.field("referer", TEXT),
    pa.field("user_agent", TEXT),
    pa.field("duration_us", pa.int64()),  # time to answer, microseconds
]

PARSED: Final = pa.schema([*_LINE, *_REQUEST, pa.field("forwarded", TEXT)])
"""What the `parse` step gives. `forwarded` is the raw X-Forwarded-For text; `client` consumes it."""

_ENRICHED: Final = [
    pa.field("client_ip", TEXT),  # who really asked, canonical text; null: not an address
    pa.field("country", TEXT),  # ISO 3166-1 alpha-2; null: unknown or private
    pa.field("asn", pa.uint32()),  # autonomous system number; null: unknown
    pa.field("network", TEXT),  # name of the network or its operator; null: unknown
    pa.field("agent", TEXT),  # user-agent family, e.g. Chrome
    pa.field("os", TEXT),  # operating system family
    pa.field("device", TEXT),  # desktop, mobile, tablet, bot, tool; null: unknown
    pa.field("bot", TEXT),  # class:name, e.g. search:Googlebot, ai:GPTBot, scanner:sqlmap; null: none
    pa.field("route", TEXT),  # path template, e.g. /item/{int}
    pa.field("kind", TEXT),  # page, static or api
]

_JUDGED: Final = [
    pa.field("score", pa.float32(), nullable=False),  # probability of being an attack, 0 to 1
    pa.field("attack", TEXT),  # an `Attack` value; null: judged ordinary
    # Ids of the rules that count as evidence, sorted, joined by one space. Before them stand, as except:ID,
    # the exceptions but for which the event were an attack.
    pa.field("rules", TEXT),
    pa.field("outcome", TEXT),  # an `Outcome` value; null where attack is null
]

EVENT: Final = pa.schema([*_LINE, *_REQUEST, *_ENRICHED, *_JUDGED])
"""One row is a parsed, enriched, judged request."""

REJECT: Final = pa.schema(
    [
        pa.field("reason", TEXT, nullable=False),  # a `Reason` value
        # The first RAW_KEPT bytes of the line, as they came.
        pa.field("raw", pa.binary(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),  # length of the whole line, B
        pa.field("source", TEXT, nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("read_at", TIME, nullable=False),  # when it was read: a reject has no event time
    ]
)
"""One row is a record that could not become an event, or that a filter took out (see `FILTERED`)."""

RAW_KEPT: Final = 4096
"""Bytes of a rejected line that are kept: enough to see what it was, bounded against 1 MB lines."""


class Reason(StrEnum):
    """Why a record did not become an event. The closed set."""

    EMPTY = "empty"  # nothing but white space
    BINARY = "binary"  # NUL or control bytes: not a log line
    TOO_LONG = "too_long"  # longer than the limit (see sources)
    NO_FORMAT = "no_format"  # fits none of the source's formats
    BAD_TIME = "bad_time"  # the time cannot be read, or is not a possible date
    BAD_FIELD = "bad_field"  # the format fits but a field's value is impossible
    BAD_JSON = "bad_json"  # looks like JSON and is not, or lacks what a request needs
    DIRECTIVE = "directive"  # filtered: the format's own header or comment line
    EXCLUDED = "excluded"  # filtered: the operator's own filter


FILTERED: Final = frozenset({Reason.DIRECTIVE, Reason.EXCLUDED})
"""Reasons that count as `filtered`, not as rejects: read = events + rejects + filtered."""


class Attack(StrEnum):
    """What an attack tries to do. The closed set of EVENT.attack and of alert classes."""

    SQLI = "sqli"
    NOSQLI = "nosqli"
    XSS = "xss"
    TRAVERSAL = "traversal"  # path traversal and local file inclusion
    RFI = "rfi"  # remote file inclusion
    RCE = "rce"  # command injection: Unix, Windows, PowerShell
    PHP = "php"
    JAVA = "java"  # OGNL, EL, class loader
    CODE = "code"  # Node, Ruby, Python, Perl code injection
    SSTI = "ssti"
    DESERIALISATION = "deserialisation"
    LOG4SHELL = "log4shell"
    SSRF = "ssrf"
    XXE = "xxe"
    LDAP = "ldap"
    SSI = "ssi"  # server-side and edge-side includes
    CRLF = "crlf"  # response splitting, header injection
    REDIRECT = "redirect"
    SMUGGLING = "smuggling"
    PROTOTYPE = "prototype"
    GRAPHQL = "graphql"
    WEBSHELL = "webshell"
    SENSITIVE = "sensitive"  # secret, backup and version-control files
    PROBE = "probe"  # admin, framework and AI-assistant artefact probes
    CVE = "cve"  # a known vulnerable path
    SCANNER = "scanner"  # a scanner or exploit tool by its own name
    PROTOCOL = "protocol"  # not HTTP, or HTTP that no honest client speaks
    BRUTE_FORCE = "brute_force"
    STUFFING = "stuffing"  # password spraying and credential stuffing
    ENUMERATION = "enumeration"
    CRAWL = "crawl"
    FLOOD = "flood"
    FAKE_BOT = "fake_bot"
    ANOMALY = "anomaly"  # volume: a spike or a silence


PAYLOADS: Final = frozenset(
    {
        *(Attack.SQLI, Attack.NOSQLI, Attack.XSS, Attack.TRAVERSAL, Attack.RFI, Attack.RCE, Attack.PHP),
        *(Attack.JAVA, Attack.CODE, Attack.SSTI, Attack.DESERIALISATION, Attack.LOG4SHELL, Attack.SSRF),
        *(Attack.XXE, Attack.LDAP, Attack.SSI, Attack.CRLF, Attack.PROTOTYPE),
    }
)
"""Classes that show in how a text is written; the others are the business of lists and of behaviour."""


class Outcome(StrEnum):
    """How an attack went."""

    BLOCKED = "blocked"
    MISSED = "missed"
    WORKED = "worked"  # likely worked
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much it matters, lowest first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Stage(StrEnum):
    """How far an actor has come, earliest first."""

    RECON = "recon"
    PROBE = "probe"
    EXPLOIT = "exploit"
    FOOTHOLD = "foothold"


ALERT: Final = pa.schema(
    [
        pa.field("detector", TEXT, nullable=False),  # signature, classifier, behaviour, volume
        pa.field("rule", TEXT, nullable=False),  # id of the rule or scenario
        pa.field("attack", TEXT, nullable=False),  # an `Attack` value
        pa.field("severity", TEXT, nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        # Who: "ip:203.0.113.7", "net:203.0.113.0/24", "asn:64496", "agent:<hash>", "site:<name>"
        pa.field("actor", TEXT, nullable=False),
        pa.field("site", TEXT),
        pa.field("outcome", TEXT, nullable=False),
        pa.field("first_seen", TIME, nullable=False),
        pa.field("last_seen", TIME, nullable=False),
        pa.field("events", pa.int64(), nullable=False),  # how many events stand behind it
        # Up to EVIDENCE_KEPT of them, as (source, position).
        pa.field(
            "evidence",
            pa.list_(pa.struct([("source", pa.string()), ("position", pa.int64())])),
            nullable=False,
        ),
        pa.field("explanation", pa.string(), nullable=False),  # one English sentence
    ]
)
"""One row is one finding of one detector about one actor."""

EVIDENCE_KEPT: Final = 20
"""Evidence positions kept by an alert and by an incident."""

PARTIAL: Final = pa.schema(
    [
        pa.field("grain", pa.int32(), nullable=False),  # width of the window, s: 60, 3600 or 86400
        pa.field("start", TIME, nullable=False),  # window is [start, start + grain)
        pa.field("site", TEXT),
        pa.field("dimension", TEXT, nullable=False),  # a column of EVENT, or "all"
        pa.field("value", pa.string()),  # null: the log does not say
        pa.field("requests", pa.int64(), nullable=False),
        pa.field("success", pa.int64(), nullable=False),  # status 2xx or 3xx
        pa.field("errors", pa.int64(), nullable=False),  # status 5xx
        pa.field("attacks", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        # Largest count that any dropped value of this (grain, start, site, dimension) can have had;
        # 0: the window is exact. Same on every row of the window.
        pa.field("error", pa.int64(), nullable=False),
        # HyperLogLog of client addresses (DataSketches, updatable bytes); only on hourly and
        # daily rows of dimension "all".
        pa.field("visitors", pa.binary()),
    ]
)
"""One row is the mergeable counts of one value of one dimension in one window of event time."""
