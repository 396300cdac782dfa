# ruff: noqa: E501  an expression is a datum of one line
"""Whom would the server ask, or send its visitor to, if it followed this address?

A URL in a parameter is ordinary. Its host and scheme are what tells: the machine itself, a cloud's
metadata service, an address in a notation that only hides it, or a script on a strange host.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from typing import Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import Which
from logvision.schema import Attack

RULE: Final = "verify.url"

_URL: Final = re2.compile(
    r"(?i)^[\s'\"]*(?:url:|view-source:)?([a-z][a-z0-9+.-]{1,15}):(/{0,4}|\\{1,2}|/?\\/?)([^/\\?#\s]*)([^\s]*)"
)
_SCHEMES: Final = {
    "gopher": 0.97, "dict": 0.95, "tftp": 0.93, "ldap": 0.85, "ldaps": 0.85, "sftp": 0.8, "ftps": 0.6, "netdoc": 0.95, "ftp": 0.35,
    "ssh2": 0.9, "smb": 0.85, "ldapi": 0.9, "rmi": 0.9, "jar": 0.93, "telnet": 0.7, "imap": 0.7, "svn": 0.7, "finger": 0.8,
    "vbscript": 0.8, "expect": 0.95, "ogg": 0.85, "redis": 0.8, "rediss": 0.8, "memcached": 0.85, "mongodb": 0.4, "ssh": 0.4, "scp": 0.7,
    "imaps": 0.7, "pop3": 0.72, "pop3s": 0.72, "smtp": 0.72, "smtps": 0.72, "rsync": 0.72, "nfs": 0.4, "ipp": 0.4, "mysql": 0.4, "postgres": 0.4,
    "postgresql": 0.4, "iris": 0.7, "irc": 0.3, "ircs": 0.3, "xri": 0.6, "acap": 0.7, "turn": 0.35, "stun": 0.35, "snmp": 0.7, "tn3270": 0.7,
}  # fmt: skip
_METADATA: Final = frozenset(
    {
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd00:ec2::23",
    }
)
_LISTENERS: Final = (
    r"metadata(?:\.google\.internal|\.tencentyun\.com|\.packet\.net|\.nicira|\.platformequinix\.com)?|instance-data(?:\.ec2\.internal)?|rancher-metadata|"
    r"kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?|(?:.*\.)?(?:nip\.io|xip\.io|sslip\.io|localtest\.me|lvh\.me|localdomain\.pw|burpcollaborator\.net|oastify\.com|oast\.\w+|interact\.sh|dnslog\.\w+|ceye\.io|r87\.(?:me|com)|bxss\.me|requestbin\.net|pipedream\.net|canarytokens\.com|"
    r"evil\.(?:com|example|org|net|host|tld)|attacker\.\w+|hacker\.\w+|cirt\.net|tests?\.arachni-scanner\.com|some-inexistent-website\.\w+|webhook\.site|testasp\.vulnweb\.com|spoofed\.\w+)"
)
_NAMES: Final = re2.compile(rf"(?i)^(?:{_LISTENERS})$")
_ITSELF: Final = r"localhost[46]?|localhost[46]?\.localdomain[46]?|ip6-loopback|ipv6-(?:localhost|loopback)|(?:host|gateway|kubernetes)\.docker\.internal|host\.containers\.internal|host\.lima\.internal|.*\.localhost|ip6-localhost|0|::1|\[::\]|\[::1\]|127\.\d+"
_LOCAL: Final = re2.compile(rf"(?i)^(?:{_ITSELF})$")
_SERVICES: Final = r"(?:[\w-]+\.){1,4}(?:svc(?:\.cluster\.local)?|(?:service|node)\.consul)"
_CLUSTER: Final = re2.compile(rf"(?i)^(?:{_SERVICES})$")
_SCRIPT: Final = re2.compile(
    r"(?i)\.(?:txt|gif|jpe?g|png|php\d?|phtml|asp|dat|inc|log|htm|html|bmp|pdf|js|tpl)\?+(?:cmd=|&|%00|$|\s|\x00|/)|(?:r57|c99|shell|rfi(?:inc)?|cmd|id1?|safe\d?|ec|test|spread|echo|idx|bot|inj|scan)\d{0,3}\.(?:txt|gif|jpe?g|php)\b"
)
_INCLUDE: Final = re2.compile(r"(?i)^/[\w./~-]{1,200}\?{1,3}$")
_STRANGE: Final = re2.compile(
    r"(?i)^\s*(?:/{3,}[\w@.-]+|(?:\\/){1,3}[\w.-]+\.\w|/{2,}[\\;]+[;@]*\w|https?:/{5,}\w|https?:/*[\t\r\n]|/[\w-]+(?:\.[\w-]+)*\.(?:com|net|org)/{2,}\.\.|https?:[^/\s]{1,60}@[\w.:\[\]-]+$|/+https?:/{3,}\w|/+https?:/{1,2}(?:[^/]*@|[^/]+/+(?:\.\.|$))|/{2,}[\t\r\n\x0b]*/\w|/{1,3}[\t\r\n\x0b]+[\w-]+\.\w|/?\xe3\x82\x9d\w|/?\xe3\x80\xb1\w|/+https?://[\\\t]|/\\+[/\\]*\w|\\{2,}/*[\w-]+\.\w|/[\t\r\n]+/\w|https?:(?:[\w.-]+\.\w{2,}|\\)|/%09/|//[^/]*[@%\\]|//\w*\xe3\x80\x82|/{2,}[\w.-]+\.\w{2,}/+(?:%2f|\.\.|%2e)|\.\w+\.(?:com|net)$|https?://[^/\s]*(?:\\|%(?:2f|5c|00|ff|09|0d|0a)|\xe3\x80\x82)|https?://[^/?#]*@[^/?#]*\.\w+)"
)
_BARE: Final = re2.compile(
    r"(?i)^(?:(localhost[46]?|localhost[46]?\.localdomain[46]?|ip6-loopback|ipv6-(?:localhost|loopback)|localtest\.me|lvh\.me|kubernetes\.default\.svc(?:\.cluster\.local)?|[\w.]{1,40}\.nip\.io)/|[\w.-]{1,80}\.(?:nip|xip|sslip)\.io$|((?:host|gateway|kubernetes)\.docker\.internal|host\.containers\.internal|metadata\.google\.internal|169\.254\.169\.254)(?:[:/]|$))"
)
"""A host of the machine itself without a scheme; programs put one before it."""
_CONFUSED: Final = re2.compile(
    r"(?i)^https?://[^/]{1,80}\x00|^https?:/{2,3}[^/\s@]{1,80}[\s&#?\\]+@|^https?://[\w.-]+(?::\d+)?\s*[&#?\\]{1,3}\s*@[\w.\[\]:-]+|^https?://[\w.-]+:\d+[?#]@|^https?://[\w-]+(?:\.[\w-]+)+&[\w-]+(?:\.[\w-]+)+/?$|^https?://[\w.-]+/:[^/?#\s]{0,40}@[\w.-]+\.\w{2,}/?$|^(?:https?:)?//[\w.-]*[\w-]\.(?:\d{1,3}\.){3}\d{1,3}(?:[:/?#]|$)"
)
"""Two hosts in one address: parsers disagree which of them is asked."""
_DOUBLED: Final = re2.compile(r"(?i)^h(?:t(?:tp?)?)?https?:/{0,2}t{0,2}ps?:/{1,2}\w")
"""A scheme that is there again once a filter has cut it out."""
_ENDS_UP: Final = re2.compile(
    r"(?i)^(?:https?:)?/{1,4}(?:[\w.-]+@)?[\w-]+(?:\.[\w-]+)+/+\.\./?$|^/?<>/{2}\w|^/?(?:\xe3\x80\xb1|\xe3\x80\xb5|\xe3\x82\x9d|\xe3\x83\xbc|\xef\xbd\xb0)[\w-]+\.\w{2,}/?$|^/https?:/{0,2}[\w-]+\.\w{2,}/{0,2}$"
)
_BENT: Final = re2.compile(
    r"(?i)^ *(?:https?:(?:/{0,4}\\|/+[?#]?\.[\w-])|[\x00-\x1f]+ *(?:[/\\]|https?:|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,12}/?$)|(?:https?:)?//[\w.-]+[?#]\.[\w-]|\\[\w-]+(?:\.[\w-]+)*\.[a-z]{2,12}(?:[/\\]|$)|@https?://|@[\w-]+\.(?:com|net|org|io|me|ru|cn|xyz|tk|site|example)/?$|(?:https?:)?/*[\w.-]+\xe3\x80\x82[a-z]{2,6}/?$|<>/{2}\w)"
)
"""What a browser takes for another host, and no program writes so."""
_SLASHES: Final = re2.compile(r"(?i)^https?:(/|/{3,})((?:[\w-]+\.)+)([a-z]{2,12})(?:[/?#].*)?$")
"""A web address with other than two slashes, by what its first part ends in: a host, if not the name of a page."""
_PAGES: Final = frozenset(
    [
        "php",
        "php5",
        "html",
        "htm",
        "shtml",
        "xhtml",
        "asp",
        "aspx",
        "jsp",
        "cgi",
        "pl",
        "js",
        "css",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "ico",
        "xml",
        "txt",
        "pdf",
        "do",
    ]
)
_INTERNAL_PATH: Final = re2.compile(
    r"(?i)/latest/(?:meta-data|user-data|dynamic|api/token)|/computeMetadata/|/metadata/(?:v1|instance)|/opc/v[12]/|/openstack/latest|/v1\.\d+/(?:images|containers)/json|/_all_dbs|server-status"
)
_WHICH: Final = Which(_URL, _CONFUSED, _DOUBLED, _BARE, _STRANGE, _ENDS_UP, _BENT, _SLASHES)
TELLING: Final = (
    *(each.pattern for each in (_CONFUSED, _DOUBLED, _BARE, _STRANGE, _ENDS_UP, _BENT, _SLASHES, _SCRIPT)),
    r"^[ \t'\"<>]|[ \t'\"<>\\?]$",  # what is taken off its ends, and what cuts off the rest
    r"[\x80-\xff]",
    rf"(?i)^[\s'\"]*(?:url:|view-source:)?(?:{'|'.join(_SCHEMES)}):",
    # A host of digits in any notation, one in brackets, and names.
    r"(?i)^(?:[^/\\?#]*?:[/\\]*|//)(?:[^/\\?#\s]*@)?[0-9a-fx.:\[\]]*[0-9a-fx.\]](?:[%:][^/\\?#\s]*)?(?:[/\\?#\s]|$)",
    r"[:/\\@]\[|^[^/\\?#]*::",
    rf"(?i)[:/\\@](?:{_LISTENERS}|{_ITSELF}|{_SERVICES})(?:[:/\\?#\s]|$)",
)
"""Without any of these there is nothing to find."""


def verify(text: str) -> list[Evidence]:  # noqa: PLR0911, PLR0912  one return a proof
    """What following the address would do; at most one piece of evidence."""
    bare = text.strip(" \t'\"<>").removesuffix("\\")  # a quote escaped in a page leaves its mark
    held = _WHICH(bare)
    if _BENT.search(text) or (_SLASHES in held and _is_host(*_SLASHES.match(bare).groups())):
        sentence = "Read as an address: browsers take it for another host, and no program writes it so."
        return [Evidence(RULE, Attack.REDIRECT, 0.72, sentence)]
    if not held and not bare.startswith("//"):
        return []
    found = _URL.match(bare) if _URL in held else None
    if found is None and bare.startswith("//"):
        found = _URL.match("http:" + bare)
    if _CONFUSED in held:
        return [_ssrf(0.85, "it names two hosts, and programs disagree which one is asked")]
    if _DOUBLED in held:
        sentence = "Read as an address: a filter that cuts its scheme out leaves another."
        return [Evidence(RULE, Attack.REDIRECT, 0.85, sentence)]
    if found is None:
        if _BARE in held:
            return [_ssrf(0.75, f"the machine itself is asked ({bare[:40]})")]
        if _STRANGE in held or _ENDS_UP in held:
            return [
                Evidence(
                    RULE,
                    Attack.REDIRECT,
                    0.72,
                    "Read as an address: its form only serves to get past a check.",
                )
            ]
        return []
    if " " in bare.strip() and "\t" not in bare and not found.group(1).lower().startswith(("gopher", "dict")):
        return []  # words follow the address: somebody writes about it
    scheme, host, rest = found.group(1).lower(), found.group(3), found.group(4)
    name = host.rsplit("@", 1)[-1]
    port = ""
    if not name.endswith("]") and ":" in name:
        name, _, port = name.rpartition(":")
    spelled = name.encode("latin-1", "ignore").decode("utf-8", "ignore")
    folded = unicodedata.normalize("NFKC", spelled) if not spelled.isascii() else spelled
    if folded != spelled and folded.isascii():
        return [_ssrf(0.93, f"{folded} is written in letters that only look like it")]
    if not spelled.isascii() and _mixed(spelled):
        sentence = f"Read as an address: {spelled} mixes letters that look alike."
        return [Evidence(RULE, Attack.REDIRECT, 0.8, sentence)]
    address, plain = notation(name)
    if address and not plain and "://" in bare:
        return [_ssrf(0.93, f"{host} is a way of writing {address}")]
    if name.startswith("[") and "://" in bare:
        special = not plain or name[1:5].lower() in ("fe80", "fc00", "fd00", "::]", "::1]", "::ff", "64:f")
        strength = 0.8 if special else 0.45 if name[1:2] in "23" else 0.6  # 2000::/3 is the open network
        if rest.split("?")[0].endswith((".php", ".txt", ".sh", ".jsp", ".exe")):
            strength = max(strength, 0.72)  # a script of a host that hides its name
        return [_ssrf(strength, f"{host} is an address that no page links to")]
    if scheme in ("http", "https", "ftp"):
        if address in _METADATA or (_INTERNAL_PATH.search(rest) and (address or _LOCAL.match(name))):
            return [_ssrf(0.97, f"the cloud's metadata service is asked ({host})")]
        if address and not plain:
            return [_ssrf(0.93, f"{host} is a way of writing {address}")]
        if _NAMES.match(name):
            return [
                _ssrf(
                    0.93 if "." in name else 0.85, f"{name} answers for the machine itself or to an attacker"
                )
            ]
        if _CLUSTER.match(name):
            return [_ssrf(0.72, f"a service inside a cluster is asked ({host})")]
        if _LOCAL.match(name) or address.startswith(("127.", "0.")) or address in ("::1", "::", "0.0.0.0"):  # noqa: S104
            return [_ssrf(0.55 if port else 0.72, f"the machine itself is asked ({host})")]
        if bare.endswith("?") and address:
            sentence = f"Read as an address: a file on {host} would be included."
            return [Evidence(RULE, Attack.RFI, 0.85, sentence)]
        if bare.endswith("?") and _INCLUDE.search(rest):
            sentence = f"Read as an address: what follows is cut off, so that a file on {host} is included."
            return [Evidence(RULE, Attack.RFI, 0.72, sentence)]
        if _SCRIPT.search(rest):
            return [
                Evidence(
                    RULE,
                    Attack.RFI,
                    0.9 if "?" in rest[-3:] or address else 0.75,
                    f"Read as an address: a script on {host} would be included.",
                )
            ]
        if _STRANGE in held or _ENDS_UP in held:
            return [
                Evidence(
                    RULE,
                    Attack.REDIRECT,
                    0.72,
                    "Read as an address: its form only serves to get past a check.",
                )
            ]
        if address and rest.split("?")[0].endswith((".txt", ".php", ".sh", ".exe", ".jsp", ".dll")):
            return [
                Evidence(RULE, Attack.RFI, 0.72, f"Read as an address: a file on {host} would be included.")
            ]
        if address and ipaddress.ip_address(address).is_private:
            return [_ssrf(0.35, f"a private address is asked ({host})")]
        if address and bare.startswith("//"):
            sentence = f"Read as an address: the visitor is sent to {host} by whatever scheme the page has."
            return [Evidence(RULE, Attack.REDIRECT, 0.6, sentence)]
        return []
    if scheme in _SCHEMES and (found.group(2).startswith("/") or scheme in ("netdoc", "jar")):
        return [_ssrf(_SCHEMES[scheme], f"the scheme {scheme} is no web page's")]
    return []


def _is_host(slashes: str, names: str, ending: str) -> bool:
    """Whether what follows other than two slashes is a host: `http:/www.` is how people mistype an address, and
    `http:///index.php` one that a program put no host into."""
    typed = slashes == "/" and names.lower().startswith("www.")
    return not typed and ending.lower() not in _PAGES


def _mixed(host: str) -> bool:
    """Whether a label has Latin letters beside Cyrillic or Greek ones; no registry takes such a name."""
    for label in host.split("."):
        scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in label if letter.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"}:
            return True
    return False


_OF_NUMBERS: Final = "0123456789abcdefABCDEFxX.:"


def notation(host: str) -> tuple[str, bool]:  # noqa: PLR0911, PLR0912  one return a notation
    """The IP address that a host name is, in any notation that resolvers take ("" if none), and whether it is
    written plainly."""
    text = host.strip("[]").split("%")[0]
    if text.strip(_OF_NUMBERS):
        return "", True  # a name
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        pass
    else:
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            return str(address.ipv4_mapped), False
        if isinstance(address, ipaddress.IPv6Address) and "." in text:
            return str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)), False
        return str(address), True
    parts = text.rstrip(".").split(".")
    if not 1 <= len(parts) <= 4 or len(text) > 64:
        return "", True
    numbers: list[int] = []
    for part in parts:
        try:
            base = 16 if part[:2].lower() == "0x" else 8 if len(part) > 1 and part.startswith("0") else 10
            if not part or not (part.isascii() and part.isalnum()):
                return "", True
            numbers.append(int(part, base))
        except ValueError:
            return "", True
    if len(numbers) == 4 and parts == [str(n) for n in numbers] and 255 < max(numbers) < 4096:
        numbers = [n % 256 for n in numbers]  # some programs keep the last eight bits of each part
        return ".".join(map(str, numbers)), False
    last = 256 ** (5 - len(numbers))
    if len(numbers) == 1 and numbers[0] < 2**24 and base == 10:
        return "", True  # a bare small number is no host
    if len(numbers) == 1:
        numbers[0] %= 2**32  # what does not fit is cut off, as C's inet_aton() does
    if any(n > 255 for n in numbers[:-1]) or numbers[-1] >= last:
        return "", True
    value = numbers[-1]
    for index, number in enumerate(numbers[:-1]):
        value += number << 8 * (3 - index)
    return str(ipaddress.IPv4Address(value)), False


def _ssrf(strength: float, sentence: str) -> Evidence:
    return Evidence(RULE, Attack.SSRF, strength, f"Read as an address: {sentence}.")
