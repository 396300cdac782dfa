"""Would a template engine or an expression language evaluate this?

Placeholders that a page forgot to fill (`{{item.url}}`, `${name}`) are ordinary; sums, calls, class
lookups and JNDI lookups inside the same marks are not. Nested Log4j lookups are evaluated first, so that
`${${lower:j}ndi:...}` is read as what it becomes.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import AnyOf, Which
from logvision.schema import Attack

RULE: Final = "verify.template"

ROUNDS: Final = 30
"""Nested lookups resolved; each round takes the innermost ones."""

_OPENED: Final = AnyOf(
    "(?i)jndi:",
    r"(?s)\{\{|\$\{|#\{|%\{|\*\{|@\{|~\{|<%|\{%|\[\[|\[=|#set|\{php|@\(|#\(|\$\$|\{\$smarty|\{\w+::|<#|\{[^}]{0,30}(?:[*+]|/0\b)|#(?:include|parse|evaluate)\(\"|#(?:if|foreach|macro|define)\s{0,3}\(.{0,400}#end\b|\)\.to(?:String\(|_s\b)",
)
_LOOKUP: Final = re2.compile(r"\$\{([^${}]{0,200})\}")
_JNDI: Final = re2.compile(
    r"(?i)\$\{?\W{0,3}\s*jndi\s*:|jndi:(?:ldaps?|rmi|dns|iiop|nis|corba|nds|https?)\s*:|\$\{j\$|\$\{\W{0,4}j\w?.{0,30}n.{0,30}d.{0,30}i.{0,30}:"
)
_SUM: Final = re2.compile(
    r"(?s)(?:\{\{|\$\{\{?|#\{|\*\{|%\{|@\{|~\{|\{@|\}\}|<#|<%=?|\[\[\$?\{?|\[=|\{%|@\(|#\(|\{=?)\s*[('\"]*\s*\d{1,12}\s*[('\")]*\s*[-+*/%^|]{1,2}\s*[('\"]*\d{1,12}['\")]*\s*(?:\}|%>|\]|\)|\b)|"
    r"\{\{[^{}]{0,60}\b\d{1,12}\s*\*\s*\d{1,12}[^{}]{0,60}\}\}|\(\d{1,12}\s*[-+*/]\s*\d{1,12}\)\.to(?:String\(|_s\b)"
)
_STRONG: Final = re2.compile(
    r"(?is)(?:\{\{|\$\{|#\{|%\{|\*\{|@\{|~\{|<%|\{%|\[\[|#set\s*\(|\{php\}|@\()[^}]{0,200}?(?:__(?:class|globals|init|import|mro|subclasses|builtins|base|getattribute)\w*|\bT\s*\(|java\.|javax\.|Runtime|ProcessBuilder|getClass|forName|\.class\b|"
    r"freemarker\.|\?new\s*\(|\?api|\bconfig\b\s*(?:\}|\.|\[)|self\b\s*[.\[]|request\s*[.|\[}]|lipsum|cycler|joiner|namespace|constructor|prototype|process\.|require\s*\(|child_process|system\s*\(|exec\s*\(|popen|passthru|shell_exec|phpinfo|"
    r"_self|\bfilter\s*\(|\|\s*(?:attr|map|sort|reduce|filter|join)\s*\(|#_memberAccess|@java|@org|#context|#parameters|#application|OgnlContext|#cmd|#a=|#req|sessionScope|requestScope|applicationScope|pageContext|initParam|param\.|header\.|session\.|facesContext|"
    r"(?:script|dns|url|file|env|sys|base64decoder|javascript|const|xml|properties|resourcebundle|localhost|urlencoder)\s*:|File\.(?:open|read)|IO\.popen|Dir\.|`|%x[({\[]|Kernel|\bputs\b|system\(|\bdump\s*\(|app\.request|\bglobals?\b|range\.constructor|\.newInstance\(|\.getEngineByName|ScriptEngine|print\s*\(|sleep\s*\(|typeof\s*\(|response\.|out\.print|Server\.|eval\s*\(|execute\s*\(|include\s|debug\b|settings\.|\bsecret|bin/|etc/passwd|cat\s|whoami|'[^']*'\s*\*\s*\d|\"[^\"]*\"\s*\*\s*\d)"
)
_BLOCK: Final = re2.compile(
    r"(?i)\|\s*(?:filter|map|sort|reduce)\s*\(\s*['\"](?:system|exec|passthru|shell_exec|popen|assert|phpinfo|file_get_contents|eval)['\"]|\{\$smarty\.|\{\w{1,40}::\w{1,40}\(|\{\{\s*\.\w{1,30}\s+[\"'`]|\{\{#(?:with|each|if)\s+\"|\$\{[^{}]{0,120}(?:\bnew\s+[A-Za-z][\w.]*\s*\(|\.\w{2,30}\(\s*(?:null\b|[\"'\d])|\?(?:lower_abc|upper_abc|new|eval)\b|\(\(?char\)|[\"']\.\w{2,20}\(|\bclass\.\w|=\s*_\.)|\.signer\.key|\{math\s+equation\s*=|\{if\s+[^{}]{1,60}\}[^{}]{0,60}\{/if\}|\{\{\s*_(?:context|self|charset)\b|\{\{\s*messages\.storages|\$\{(?:ctx|java|env|sys|main|log4j|bundle|docker|k8s|spring|sd|marker):[^}]{1,60}\}|\{%-?\s*(?:if|for|set|import|include|extends|block|macro|raw|debug|print|load|call|with|from|do|csrf_token|autoescape|verbatim|assign|capture|unless|liquid|embed|sandbox|apply)\b|@\{\s*var\s+\w+\s*=|\{\{\s*[\w.]{1,60}\s*\([^)]*\)|\{\{=|(?:\{\{|\$\{|#\{)\s*(?:['\"][^'\"]{0,40}['\"]\s*[.|]\s*\w|self\s*\})|(?:^|[^{])[{$#]\{\s*\d+\s*\|\s*\w|\$\{\{<%\[%|<%=\s*\w+\s*[.(\[|?:+*]|#(?:set|foreach|if|include|parse)\s*\("
)
_WHICH: Final = Which(_JNDI, _STRONG, _BLOCK, _SUM)
TELLING: Final = (*(each.pattern for each in (_JNDI, _STRONG, _BLOCK, _SUM)), r"\$\{[^${}]*\}")
"""Without any of these there is nothing to find; the last is a lookup that may hide one of the others."""


def verify(text: str) -> list[Evidence]:  # noqa: PLR0911  one return a proof
    """The strongest proof that the text would be evaluated; at most one piece of evidence."""
    if not _OPENED(text):
        return []
    held = _WHICH(text)
    resolved = resolve(text) if "${" in text else text
    if _JNDI in held or (resolved != text and _JNDI.search(resolved)):
        hidden = " once its nested lookups are resolved" if _JNDI not in held else ""
        return [Evidence(RULE, Attack.LOG4SHELL, 0.985, f"Read as a lookup: it asks JNDI{hidden}.")]
    if (
        resolved != text
        and ("${" in _LOOKUP.sub("", text, count=1))
        and any(k in text.lower() for k in ("lower:", "upper:", "::-", "env:", "date:"))
    ):
        return [Evidence(RULE, Attack.LOG4SHELL, 0.9, "Read as a lookup: lookups are nested to hide a word.")]
    if _STRONG in held:
        found = _STRONG.search(text)
        java = any(
            word in text for word in ("java", "#_member", "%{", "Runtime", "getClass", "ognl", "#context")
        )
        return [
            Evidence(
                RULE,
                Attack.JAVA if java else Attack.SSTI,
                0.93,
                f"Read as a template: it reaches for the engine ({found.group()[-40:]!r}).",
            )
        ]
    if _BLOCK in held and _SUM not in held:
        found = _BLOCK.search(text)
        sentence = f"Read as a template: it has a statement or a call ({found.group()[:40]!r})."
        return [Evidence(RULE, Attack.SSTI, 0.72, sentence)]
    if _SUM in held:
        found = _SUM.search(text)
        return [
            Evidence(
                RULE,
                Attack.SSTI,
                0.93,
                f"Read as a template: it has the engine compute ({found.group()[:40]!r}).",
            )
        ]
    return []


def resolve(text: str) -> str:
    """The text with Log4j lookups evaluated that only give text: lower, upper, defaults, empty ones."""
    for _ in range(ROUNDS):
        found = _LOOKUP.search(text)
        if found is None:
            return text
        inner = found.group(1)
        head, mark, tail = inner.partition(":")
        lowered = head.strip().lower()
        if lowered == "lower":
            value = tail.lower()
        elif lowered == "upper":
            value = tail.upper()
        elif ":-" in inner:
            value = inner.rsplit(":-", 1)[1]
        elif lowered in (
            "date",
            "sys",
            "env",
            "main",
            "ctx",
            "java",
            "k8s",
            "web",
            "docker",
            "bundle",
            "map",
        ):
            value = tail.strip("'\"")
        elif mark and lowered == "jndi":
            return text
        else:
            value = tail.strip("'\"") if mark else ""
        start, end = found.span()
        text = text[:start] + value + text[end:]
    return text
