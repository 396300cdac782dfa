"""Rules written for any log: what an access log cannot answer is told, and nothing is refused for it.

A collection such as SigmaHQ's holds rules about other logs, rules that count over many events, and
expressions that need back-tracking. They are valid; here they are listed as unusable, with what they need.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import re2

from logvision.detect.rules import All, AnyOf, Condition, Like, Same
from logvision.detect.units import Kind
from logvision.schema import Attack

_CATEGORIES: Final = frozenset({"webserver", "proxy", "web", "waf"})
_PRODUCTS: Final = frozenset(
    {
        "apache",
        "nginx",
        "iis",
        "lighttpd",
        "caddy",
        "tomcat",
        "haproxy",
        "traefik",
        "varnish",
        "squid",
        "envoy",
    }
)
HEADERS: Final = {
    Kind.AGENT | Kind.RAW_AGENT: "cs-user-agent",
    Kind.REFERER | Kind.RAW_REFERER: "cs-referer",
}
"""Fields of which a rule may ask whether a request has them at all."""

_BACKTRACKS: Final = re2.compile(r"\(\?(?:<?[=!]|>)|\\[1-9]|\(\?P=|[+*?}]\+")


def rule_of(documents: Sequence[Any]) -> Any:
    """The rule among the documents of a file: the only one with a detection, else the first."""
    detecting = [each for each in documents if isinstance(each, dict) and "detection" in each]
    if len(detecting) == 1:
        return detecting[0]
    return documents[0] if documents else None


def need(content: dict[str, Any]) -> str | None:
    """What a rule without keys of ours needs that one line of an access log lacks; None: nothing is known."""
    if "logvision" in content:
        return None
    found = _source(content.get("logsource"))
    if found is not None:
        return found
    detection = content.get("detection")
    conditions = detection.get("condition") if isinstance(detection, dict) else None
    if "correlation" in content or "|" in str(conditions):
        return "counts over several events, as scenarios have"
    back = next((each for each in _expressions(detection) if _BACKTRACKS.search(each)), None)
    return f"an expression that looks around or back ({back!r}); only linear ones are run" if back else None


def _source(source: Any) -> str | None:
    """What other log a rule is about."""
    if not isinstance(source, dict):
        return None
    product, service, category = (
        str(source.get(key) or "").lower() for key in ("product", "service", "category")
    )
    ours = category in _CATEGORIES or (not category and (product or service) in {*_PRODUCTS, ""})
    foreign_product = product not in {*_PRODUCTS, ""}
    if ours and not foreign_product:
        return None
    return f"a log of {' '.join(each for each in (product, service, category) if each)}"


def _expressions(node: Any, *, regular: bool = False) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _expressions(value, regular="re" in str(key).split("|")[1:])
    elif isinstance(node, list):
        for each in node:
            yield from _expressions(each, regular=regular)
    elif regular and isinstance(node, str):
        yield node


def beside(condition: Condition) -> bool:
    """Whether it asks for something that must be there, but nothing of the request's own text."""
    match condition:
        case Same() | Like():
            return True
        case All(parts) | AnyOf(parts):
            return any(beside(part) for part in parts)
    return False


def asked(host: str) -> str:
    """The expression of a host as one of the address that a proxy is asked for, as logged."""
    before = r"^(?:[A-Za-z][\w+.-]{1,12}:)?//(?:[^/@\n]{1,60}@)?"
    start = before + host[1:] if host.startswith("^") else before + r"[^/?#\n]{0,200}" + host
    return start.removesuffix("$") + r"(?::\d{1,5})?(?:[/?#]|$)" if host.endswith("$") else start


_GUESSES: Final = (
    ("sql", Attack.SQLI), ("xss", Attack.XSS), ("cross-site", Attack.XSS), ("travers", Attack.TRAVERSAL),
    ("log4", Attack.LOG4SHELL), ("jndi", Attack.LOG4SHELL), ("template", Attack.SSTI),
    ("shell", Attack.WEBSHELL), ("java", Attack.JAVA), ("ssrf", Attack.SSRF), ("user agent", Attack.SCANNER),
    ("user-agent", Attack.SCANNER), ("scan", Attack.SCANNER), ("recon", Attack.SCANNER),
    ("cve-", Attack.CVE), ("exploit", Attack.CVE), ("rce", Attack.RCE),
)  # fmt: skip
"""Class of a rule that states none, by a word of its title or tags."""


def guess(content: dict[str, Any]) -> str:
    """The class of a rule that states none."""
    text = f"{content.get('title', '')} {content.get('tags', '')}".lower().replace("cve.", "cve-")
    return next((attack for word, attack in _GUESSES if word in text), Attack.PROBE)
