"""What an incident means in words and grades: stage, severity, one sentence, what to do. All from tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from logvision.schema import Attack, Outcome, Severity, Stage

MEMBERS_KEPT: Final = 1000
"""Addresses of a campaign that are told apart; there may be more."""

SEVERITIES: Final = tuple(Severity)
STAGES: Final = tuple(Stage)

GRADE: Final[Mapping[Attack, Severity]] = {
    **dict.fromkeys(
        (Attack.RCE, Attack.LOG4SHELL, Attack.DESERIALISATION, Attack.WEBSHELL, Attack.JAVA, Attack.CODE),
        Severity.CRITICAL,
    ),
    **dict.fromkeys(
        (
            *(Attack.SQLI, Attack.NOSQLI, Attack.TRAVERSAL, Attack.RFI, Attack.PHP, Attack.SSTI, Attack.SSRF),
            *(Attack.XXE, Attack.LDAP, Attack.SSI, Attack.SMUGGLING, Attack.PROTOTYPE, Attack.CVE),
            *(Attack.BRUTE_FORCE, Attack.STUFFING),
        ),
        Severity.HIGH,
    ),
    **dict.fromkeys(
        (
            *(Attack.XSS, Attack.CRLF, Attack.REDIRECT, Attack.SENSITIVE, Attack.FLOOD, Attack.FAKE_BOT),
            Attack.ANOMALY,
        ),
        Severity.MEDIUM,
    ),
    **dict.fromkeys(
        (
            *(Attack.PROBE, Attack.SCANNER, Attack.PROTOCOL, Attack.ENUMERATION, Attack.CRAWL),
            Attack.GRAPHQL,
        ),
        Severity.LOW,
    ),
}
"""How bad a class is when it is neither blocked nor known to have worked."""

STAGE: Final[Mapping[Attack, Stage]] = {
    **dict.fromkeys(
        (
            *(Attack.SCANNER, Attack.ENUMERATION, Attack.CRAWL, Attack.FAKE_BOT, Attack.PROTOCOL),
            *(Attack.ANOMALY, Attack.PROBE, Attack.SENSITIVE, Attack.GRAPHQL),
        ),
        Stage.RECON,
    ),
    **dict.fromkeys((Attack.WEBSHELL, Attack.REDIRECT), Stage.PROBE),
}
"""How far an actor who does this has come, until it works; all other classes are attempts to exploit."""

EXPLOITS: Final = frozenset(a for a in Attack if a not in STAGE) - {Attack.FLOOD}
"""Classes of which one request with a high score is an incident."""

FOOTHOLDS: Final = frozenset(
    {Attack.WEBSHELL, Attack.RCE, Attack.LOG4SHELL, Attack.BRUTE_FORCE, Attack.STUFFING}
)
"""Classes that, when they work, leave the actor inside."""

WORST: Final = (Outcome.BLOCKED, Outcome.MISSED, Outcome.UNKNOWN, Outcome.WORKED)
"""Outcomes, the worst last."""

NAMES: Final[Mapping[Attack, str]] = {
    Attack.SQLI: "SQL injection",
    Attack.NOSQLI: "NoSQL injection",
    Attack.XSS: "cross-site scripting",
    Attack.TRAVERSAL: "path traversal",
    Attack.RFI: "remote file inclusion",
    Attack.RCE: "command injection",
    Attack.PHP: "PHP injection",
    Attack.JAVA: "Java expression injection",
    Attack.CODE: "code injection",
    Attack.SSTI: "template injection",
    Attack.DESERIALISATION: "unsafe deserialisation",
    Attack.LOG4SHELL: "Log4Shell",
    Attack.SSRF: "server-side request forgery",
    Attack.XXE: "XML external entities",
    Attack.LDAP: "LDAP injection",
    Attack.SSI: "server-side includes",
    Attack.CRLF: "header injection",
    Attack.REDIRECT: "open redirects",
    Attack.SMUGGLING: "request smuggling",
    Attack.PROTOTYPE: "prototype pollution",
    Attack.GRAPHQL: "GraphQL introspection",
    Attack.WEBSHELL: "web shells",
    Attack.SENSITIVE: "secret files",
    Attack.PROBE: "admin and framework paths",
    Attack.CVE: "known vulnerabilities",
    Attack.SCANNER: "a scanner's checks",
    Attack.PROTOCOL: "malformed requests",
    Attack.BRUTE_FORCE: "password guessing",
    Attack.STUFFING: "stolen passwords",
    Attack.ENUMERATION: "going through names and numbers",
    Attack.CRAWL: "mass crawling",
    Attack.FLOOD: "flooding",
    Attack.FAKE_BOT: "posing as a search engine",
    Attack.ANOMALY: "unusual traffic",
}

_HOW: Final[Mapping[str, str]] = {
    "worked": "at least one attempt likely worked",
    "unknown": "whether it worked cannot be told",
    "missed": "nothing it tried was there",
    "blocked": "every attempt was refused",
    "in_vain": "nothing it tried worked",
    "sign_in_worked": "at least one password likely fitted",
    "sign_in_missed": "no password fitted",
    "flood_worked": "the server gave way",
    "flood_missed": "the server held",
}
"""How it went, after the number of requests. Of what only comes and looks there is nothing to say."""

_SIGN_INS: Final = frozenset({Attack.BRUTE_FORCE, Attack.STUFFING})
_LOOKS: Final = frozenset({Attack.CRAWL, Attack.FAKE_BOT})


def _how(attacks: Sequence[Attack], outcome: Outcome) -> str:
    """The key of `_HOW` for these classes; "": nothing to say."""
    kinds = set(attacks)
    if outcome is Outcome.UNKNOWN and kinds <= _LOOKS:
        return ""
    if outcome in (Outcome.WORKED, Outcome.MISSED):
        if kinds <= _SIGN_INS:
            return f"sign_in_{outcome.value}"
        if kinds <= {Attack.FLOOD}:
            return f"flood_{outcome.value}"
    if outcome is Outcome.MISSED and kinds & (_SIGN_INS | {Attack.FLOOD}):
        return "in_vain"
    return outcome.value


_ADVICE: Final[Mapping[str, str]] = {
    "read_answers": "First read the answers that the server gave to the requests marked as worked.",
    "look_for_files": (
        "Look for files that appeared in the web root since the first request, and for processes of the "
        "web server's user."
    ),
    "change_secrets": "Take the file out of the web root and change every secret that stood in it.",
    "check_database": (
        "Look in the database's log for the queries of that time, and give the parameter to the database as "
        "a bound variable."
    ),
    "reset_accounts": (
        "Find the accounts that signed in from these addresses; reset their passwords and end their sessions."
    ),
    "limit_sign_in": "Limit sign-in attempts per account and address, and ask for a second factor.",
    "limit_rate": "Limit requests per address in the web server or in front of it.",
    "update": "Make sure that the attacked software is in a version without this hole.",
    "block_network": "Block the network, if none of your visitors come from it.",
    "block_actor": "Block the address for some days, if it is nobody you know.",
    "nothing": "Nothing needs to be done: the site had nothing of what was asked for.",
}


def stage_of(attack: Attack, outcome: Outcome) -> Stage:
    """How far somebody has come who did this with this outcome."""
    stage = STAGE.get(attack, Stage.EXPLOIT)
    if outcome is not Outcome.WORKED:
        return stage
    if attack in FOOTHOLDS:
        return Stage.FOOTHOLD
    return Stage.PROBE if stage is Stage.RECON else Stage.EXPLOIT


def severity_of(attacks: Mapping[Attack, Outcome], score: float, events: int, hours: float) -> Severity:
    """Class, outcome, confidence and persistence together.

    `attacks` has the worst outcome of each class. What worked is one grade worse and at least high, of the
    lowest grade medium (names of users that were listed);
    of exploits that were only blocked or missed is one better, of web shells that were not there two; a score
    below 0.7 is one better; more than a thousand requests, or more than a day, is one worse, yet not critical
    by itself.
    """
    worst = 0
    for attack, outcome in attacks.items():
        grade = SEVERITIES.index(GRADE[attack])
        if outcome is Outcome.WORKED:
            mild = GRADE[attack] is Severity.LOW
            grade = max(grade + 1, SEVERITIES.index(Severity.MEDIUM if mild else Severity.HIGH))
        elif outcome in (Outcome.BLOCKED, Outcome.MISSED) and attack not in _SIGN_INS:
            # Botnets send the gravest payloads to everybody, whatever the site runs.
            grade -= 1 if attack in EXPLOITS else 2 if attack is Attack.WEBSHELL else 0
        worst = max(worst, grade)
    worked = Outcome.WORKED in attacks.values()
    if score < 0.7 - 1e-6 and not worked:  # as it comes out of a column of 32 bits
        worst -= 1
    if (events > 1000 or hours > 24) and worst < SEVERITIES.index(Severity.HIGH):
        worst += 1
    return SEVERITIES[min(max(worst, 1), len(SEVERITIES) - 1)]


def summary(
    actor: str,
    members: int,
    site: str | None,
    country: str | None,
    attacks: Sequence[Attack],
    events: int,
    span: timedelta,
    outcome: Outcome,
) -> tuple[str, str, dict[str, Any]]:
    """One English sentence, the key of its form and what to fill into it. `attacks`: most frequent first."""
    named = [NAMES[a] for a in attacks[:3]]
    what = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    args: dict[str, Any] = {
        "actor": actor.partition(":")[2],
        "members": members,
        "site": site,
        "country": country,
        "attacks": [a.value for a in attacks[:3]],
        "events": events,
        "seconds": round(span.total_seconds()),
        "outcome": outcome.value,
        "how": _how(attacks, outcome),
    }
    many = f"{members} or more addresses" if members >= MEMBERS_KEPT else f"{members} addresses"
    who = f"{many} of {args['actor']}" if members > 1 else args["actor"]
    if actor.startswith("site:"):
        who = many
    elif actor.startswith("agent:"):  # what a client says of itself stands in no sentence of ours
        who = f"{many} with one agent"
    place = f" ({country})" if country else ""
    where = f" on {site}" if site else ""
    count = "one request" if events == 1 else f"{events} requests within {lasting(span)}"
    key = "campaign" if members > 1 else "actor"
    how = f"; {_HOW[args['how']]}" if args["how"] else ""
    return f"{who}{place} tried {what}{where}: {count}{how}.", key, args


def advice(attacks: Mapping[Attack, Outcome], actor_kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to do, most urgent first: English sentences and their keys."""
    return _advice(tuple(attacks.items()), actor_kind)


@lru_cache(maxsize=1024)
def _advice(
    outcomes: tuple[tuple[Attack, Outcome], ...], actor_kind: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    attacks = dict(outcomes)
    worked = {a for a, outcome in attacks.items() if outcome is Outcome.WORKED}
    keys = []
    if worked:
        keys.append("read_answers")
    if worked & {Attack.WEBSHELL, Attack.RCE, Attack.LOG4SHELL, Attack.PHP, Attack.CODE, Attack.SSTI}:
        keys.append("look_for_files")
    if Attack.SENSITIVE in worked or Attack.TRAVERSAL in worked:
        keys.append("change_secrets")
    if Attack.SQLI in worked:
        keys.append("check_database")
    signing_in = {Attack.BRUTE_FORCE, Attack.STUFFING}
    if worked & signing_in:
        keys.append("reset_accounts")
    if signing_in & set(attacks):
        keys.append("limit_sign_in")
    if {Attack.FLOOD, Attack.CRAWL} & set(attacks):
        keys.append("limit_rate")
    if {Attack.CVE, Attack.LOG4SHELL} & set(attacks) and not worked:
        keys.append("update")
    if not keys and set(attacks.values()) <= {Outcome.MISSED, Outcome.BLOCKED}:
        keys.append("nothing")
    if actor_kind == "net":
        keys.append("block_network")
    elif actor_kind == "ip":
        keys.append("block_actor")
    return tuple(_ADVICE[key] for key in keys), tuple(keys)


def lasting(span: timedelta) -> str:
    """A span in the largest unit of which it has at least two: "7 minutes"."""
    seconds = span.total_seconds()
    for size, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {name}"
    return "a second" if seconds < 2 else f"{int(seconds)} seconds"
