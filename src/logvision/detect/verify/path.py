# ruff: noqa: E501  an expression is a datum of one line
"""Where does this path end, and does it climb out of where it was put?

A relative step is ordinary (`css/../img/x.png`); what counts is climbing above the start, and ending
in a file that only the server itself reads.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import AnyOf, Which
from logvision.schema import Attack

RULE: Final = "verify.path"

_SYSTEM: Final = re2.compile(
    r"(?i)(?:^|[/\\:=])(?:etc[/\\]+(?:passwd|shadow|group|hosts|hostname|issue|motd|fstab|crontab|resolv\.conf|profile|sudoers|"
    r"(?:apache2?|httpd|nginx|mysql|php\d?|ssh|ssl|init\.d|security|samba|vsftpd|lighttpd|rc\.d|cron\.\w+|sysconfig|network|pam\.d|my\.cnf|php\.ini|proftpd\S*|pure-ftpd\S*|logrotate\S*|redhat-release|os-release|\w*-release)\b)|"
    r"proc[/\\]+(?:self|version|cmdline|mounts|net|\d+|cpuinfo|stat)\b|(?:boot|win|system|php|my|desktop|wsftp)\.ini(?:\W|$)|winnt?(?:dows)?[/\\]+(?:system|win|repair|debug|explorer|temp|php)|system32|"
    r"web-inf(?:[/\\]|$)|meta-inf[/\\]|wp-config(?:\.|$)|\.htaccess|\.htpasswd|\.git[/\\]|\.svn[/\\]|\.ssh[/\\]|\.aws[/\\]|\.env(?:\.|$|\W)|\.bash_history|id_rsa|"
    r"var[/\\]+(?:log|www|spool|mail|lib|run|adm|apache)[/\\]|var[/\\]log|usr[/\\]+(?:local|share|lib|bin|etc|home)[/\\]|"
    r"(?:global|boot)\.asax?|web\.config|machine\.config|applicationhost\.config|access[._]log|error[._]log|httpd\.conf|php\.ini|my\.cnf|"
    r"bin[/\\]+(?:sh|bash|id|cat|ls)\b|dev[/\\]+(?:null|cmdb|random|fd|shm|tcp)\b|(?:etc|root|home)[/\\]+\.\w|inetpub[/\\]|autoexec\.bat|ntuser\.dat|sam(?:\.\w+)?$|configuration\.php|settings\.php|localsettings\.php|config\.inc\.php|database\.yml|secrets\.yml)"
)
_CLIMB: Final = re2.compile(r"(?:\.\.|%2e%2e|\.%00\.|\.\x00\.)\s*[/\\;]|[/\\]\.\.(?:$|[\x00?#&;])")
_OBSCURED: Final = re2.compile(
    r"(?:\.{3,}[/\\]{1,3}){2,}|(?:\.\.[/\\]{2,}){2,}|(?:\.\.\\/){2,}|(?:[/\\]\.{4,}){2,}|(?:\.\./\./){2,}|(?:\.\.\x00[/\\]?){1,}|(?:\.\.[?%#0x]+2?f?/?){3,}|(?:\.\.0x2f|\.\.0x5c|0x2e0x2e){2,}|(?:\.\.%[a-z0-9]{2,6}){2,}|(?:\xe2\x80\xa6)?\.\.[\\/]{2,}|(?:\.\.;/)+|(?:\.\.[\xc0-\xff][\x80-\xff]{1,5}){2,}"
)
_FOLDER: Final = re2.compile(
    r"(?i)^[a-z]:[\\/]+win(?:dows|nt)(?:[\\/]+system32)?[\\/]*$|^/(?:var/www|usr/share)(?:/[\w-]+)*/?$"
)
_WEB_INF: Final = re2.compile(
    r"(?i)^[./\\]*(?:web-inf|meta-inf)[./\\]+(?:web\.xml|[\w-]+\.(?:xml|properties|mf))$"
)
_LOG: Final = re2.compile(
    r"(?i)^[/\\]*(?:[a-z]:[/\\]+)?program files(?: \(x86\))?[/\\]+[\w .-]+[/\\]|^/proc/(?:loadavg|meminfo|partitions|devices|filesystems|interrupts|ioports|modules|swaps|uptime|sched_debug|kcore|kallsyms)$|^(?:[a-z]:)?[/\\](?:opt|etc|usr|var|private|library|volumes|apache\d*|xampp|wamp|lampp|nginx|mysql|web|www|home\d?|root|logs?|php\d?)[/\\]\S*(?:logs?|\.conf|\.cnf|\.ini|\.list|passwd|[_.-]log|\.key|\.pem|\.err|shadow)$|^/etc/\w|^/home/[\w.-]+/\.\w|^[a-z]:[/\\](?:windows|winnt|inetpub|xampp|wamp\d*|tomcat\d*|php\d?|apache\d*|sysprep|unattend)(?:[/\\][^?*<>|\"]*)?\.(?:xml|log|inf|ini|conf|txt|config|asax?|php\d?|aspx?|jsp)$|^/sys/class\b"
)
_BARE: Final = re2.compile(
    r"(?i)^(?:etc[/\\]+(?:passwd|shadow|group|hosts|issue|fstab|sudoers)|win(?:dows|nt)[/\\]+(?:win\.ini|system32[/\\].*)|proc[/\\]+self[/\\]+\w+|boot\.ini|win\.ini|master\.passwd)$"
)
"""The name alone, without its leading slash."""
_HIDDEN: Final = r"(?:(?:^|[/\\])\.(?:bash_?\w*|zsh_?\w*|k?sh_history|netrc|xauthority|ssh|rhosts|[ct]?cshrc|pgpass|my\.cnf|mysql_history|htpasswd|htaccess|env|git|svn|aws|docker|kube|npmrc|viminfo|gnupg)|[/\\]\.(?:history|profile|logout|login|config|forward|pass(?:wd)?))"
_DOTFILE: Final = re2.compile(rf"(?i)^[\w./\\:~-]*{_HIDDEN}(?:[/\\].*|\.\w{{1,6}})?$")
_ASKED: Final = re2.compile(
    r"(?i)/\.\./(?:[\w-]+/)*(?:admin|manager|console|actuator|web-inf|meta-inf|services|system|config|private|internal|ofc|dbconsole|user/|etc/|conf/)"
)
"""Where a step back in the request's own path leads past a check of its beginning."""
_ALIAS: Final = re2.compile(
    r"(?i)^/(?:[\w-]+/)?(?:static|assets?|files?|images?|imgs?|js|css|media|uploads?|libs?|content|public|data|downloads?|resources?|themes?|i18n|lang|locales?|fonts?|icons?|vendor|dist|build|docs?|api|admin|backup|tmp|cache|logs?|storage)\.\.(?:/|$)"
)
"""A folder's name with dots: where the server maps `/name` to a folder, this is the folder above it."""
_SHARE: Final = re2.compile(r"^/?\\\\(?:[\w-]+\.)+[\w-]+\\[\w$]|^[/\\]{1,3}[\w.-]+\\[a-zA-Z]\$(?:\\|$)")
_FILTERED: Final = re2.compile(
    r"(?i)\bconvert\.(?:iconv\.|base64-(?:en|de)code|quoted-printable-\w+code)|\bstring\.(?:rot13|strip_tags)\b"
)
_CUT: Final = re2.compile(
    r"(?i)/(?:etc/(?:passwd|shadow|group|hosts|issue|crontab)|proc/self/\w+|win(?:dows|nt)/win\.ini|boot\.ini|usr/share/\w[\w./-]*)[?\x00#]"
)
_REPEATED: Final = re2.compile(r"(?:/\.){12,}|\.{24,}[\w/{]|^/?\.{7,}[\w{]|(?:/\.//?){8,}|(?:/\.\\/\.){2,}")
_WRAPPER: Final = re2.compile(
    r"(?i)^\W{0,3}(?:url:)?(php://(?:filter|input|fd|memory|temp|stdin|output)|phar://|expect://|zip://|glob://|compress\.(?:zlib|bzip2)://|rar://|ogg://|ssh2\.\w+://|"
    r"file:/{1,6}[\w.]|jar:(?:file|https?):|netdoc:/|data:text/plain[;,]|data:;?base64,|data://|zlib:|local_file:)"
)
_STATIC: Final = re2.compile(
    r"(?i)\.(?:png|jpe?g|gif|svg|css|js|map|ico|woff2?|ttf|eot|webp|mp[34]|pdf|html?|txt|xml|json|swf|avif|otf)$"
)


_ALONE: Final = (
    (False, _LOG, 0.72, "it names a log or a configuration of the server"),
    (True, _ALIAS, 0.8, "a folder's name with dots behind it leads to the folder above"),
    (False, _DOTFILE, 0.72, "it names a hidden file of somebody's account"),
    (None, _SHARE, 0.72, "it names a share of another computer"),
    (False, _FILTERED, 0.85, "a stream is led through a filter"),
    (True, _CUT, 0.85, "a file of the system, its name cut off"),
    (None, _REPEATED, 0.75, "steps are repeated to fill a buffer"),
)
"""What proves something by itself: of the request's own path (None: of any text), how much, and what."""
_WHICH: Final = Which(
    *(_CLIMB, _SYSTEM, _WRAPPER, _ASKED, _FOLDER, _WEB_INF, _BARE, _OBSCURED),
    *(expression for _, expression, *_ in _ALONE),
)


def verify(text: str, *, is_path: bool) -> list[Evidence]:
    """What the text does as a path; at most one piece of evidence. `is_path`: it is the request's own path."""
    if not _TELLING(text):
        return []
    plain = text.replace("/./", "/")
    if _ODD(plain):
        plain = _plainly(plain)
    direct = _verify(text, is_path=is_path)
    if plain == text:
        return direct
    found = _verify(plain, is_path=is_path)
    return found if found and found[0].strength > (direct[0].strength if direct else 0.0) else direct


_ODD_SLASH: Final = re2.compile(
    r"0x2f|0x5c|%2%f|%5%c|%bg%qf|%u(?:f025|efc8|2215|2216)|%25?2f|%25?5c|%c[01]%[a-z0-9]{2}|%[cC]\w%[\w]{2}|\x01%?|[\xc0-\xff][\x80-\xff]{1,5}"
)
_ODD_DOTS: Final = re2.compile(
    r"(?:0x2e|%25?2e|%2%e|%c0%ae){2}|\?\.|\.\?|\?\?|\.\x00\.|\^\^|[\xc0-\xff]\^[\xc0-\xff]\^|[\xc0-\xff]\.[\xc0-\xff]\."
)
_SYSTEM_END: Final = re2.compile(
    r"(?i)(?:etc.{1,8}(?:passwd|shadow|issue|hosts|group)|boot\.ini|win\.ini|system32|web-?inf.{0,3}web\.xml)\W{0,3}\w{0,5}$"
)
_BARE_SLASH: Final = re2.compile(r"(\.\.)(?:2f|5c)")
_ODD: Final = AnyOf(*(each.pattern for each in (_ODD_SLASH, _ODD_DOTS, _BARE_SLASH)))
"""Without any of these nothing is written otherwise than plainly."""
TELLING: Final = (
    r"\.\.|\x00|/\./",
    rf"(?i){_HIDDEN}(?:[/\\.]|$)",  # _DOTFILE
    *(each.pattern for each in (_SYSTEM, _WEB_INF, _WRAPPER, _OBSCURED, _LOG, _REPEATED)),
    *(each.pattern for each in (_BARE, _ALIAS, _SHARE, _FILTERED)),
    *(each.pattern for each in (_ODD_SLASH, _ODD_DOTS, _BARE_SLASH)),
)
"""Without any of these there is nothing to find; one pass says so of most texts."""
_TELLING: Final = AnyOf(*TELLING)


def _plainly(text: str) -> str:
    """The text with ways of writing dots and slashes undone that only lists of probes use, where it names a
    system file or repeats them."""
    bare = _BARE_SLASH.sub(r"\1/", text)
    if bare != text:
        bare = bare.replace("2f", "/")
    changed: str = _ODD_SLASH.sub("/", _ODD_DOTS.sub("..", bare))
    if changed == text or not (_SYSTEM_END.search(changed) or changed.count("../") >= 2):
        return text
    return changed


def _verify(text: str, *, is_path: bool) -> list[Evidence]:  # noqa: PLR0912  one branch a way to climb
    strength, sentence = 0.0, ""
    held = _WHICH(text)
    climbs = len(_CLIMB.findall(text)) if _CLIMB in held and ".." in text else 0
    system = _SYSTEM.search(text) if _SYSTEM in held else None
    wrapper = _WRAPPER.match(text) if _WRAPPER in held else None
    if wrapper is not None and not is_path:
        strength, sentence = 0.95, f"the stream {wrapper.group(1)} is opened"
    elif climbs:
        net = _net(text)
        static = (
            _STATIC.search(text.split("\x00", maxsplit=1)[0].split("?", maxsplit=1)[0]) is not None
            and "\x00" not in text
        )
        if system is not None:
            strength, sentence = 0.97, f"it climbs {climbs} steps towards {system.group().strip('/')}"
        elif is_path:
            strength = 0.3 if net < 2 else 0.9
            if net < 2 and ("\\" in text or "..;" in text):
                strength = 0.85
            sentence = f"it climbs {net} steps above the site's root"
            if net <= 0:
                # A browser writes a slash for every backslash of an address.
                strength = (
                    0.75
                    if _ASKED in held or "..\\" in text
                    else 0.72
                    if climbs >= 3 and "../.." in text
                    else 0.1
                )
        elif net >= 3:
            strength, sentence = (0.7 if static else 0.93), f"it climbs {net} steps above where it starts"
        elif net == 2:
            strength, sentence = (0.3 if static else 0.75), "it climbs two steps above where it starts"
        elif net == 1:
            strength, sentence = (0.15 if static else 0.35), "it climbs one step above where it starts"
            if (
                text.rstrip("\x00").endswith(
                    (
                        ".php",
                        ".conf",
                        ".ini",
                        ".log",
                        ".config",
                        ".asp",
                        ".jsp",
                        ".cgi",
                        ".sh",
                        ".inc",
                        ".cfg",
                        ".sql",
                        ".bak",
                        ".yml",
                        ".yaml",
                        ".properties",
                        ".env",
                        ".key",
                        ".pem",
                    )
                )
                or "\x00" in text
                or "../." in text
                or "..\\" in text.rstrip("\\")
            ):
                strength = 0.72
        elif climbs >= 3:
            strength, sentence = 0.7, "it goes down and climbs again"
    elif system is not None and not is_path:
        whole = (
            (not any(c in text for c in " \t") and text[:1] in "/\\.") or text[1:2] == ":" or "\x00" in text
        )
        if _FOLDER in held:
            whole = False  # the folder alone is what people ask about
        elif _WEB_INF in held or _BARE in held:
            whole = True
        strength, sentence = (0.9 if whole else 0.3), f"it names {system.group().strip('/')}"
    if _OBSCURED in held and strength < 0.88:
        strength, sentence = 0.88, f"climbing is hidden ({_OBSCURED.search(text).group()[:20]!r})"
    for of_path, expression, proven, told in _ALONE:
        if strength < min(proven, 0.6) and of_path in (is_path, None) and expression in held:
            strength, sentence = proven, told
    if (
        "\x00" in text
        and strength < 0.72
        and (system is not None or re2.search(r"[\w/]\x00\.?\w{0,5}$|\x00[^\x00]{0,40}\x00", text))
    ):
        strength, sentence = 0.72, "a NUL cuts the name off"
    if strength <= 0:
        return []
    return [Evidence(RULE, Attack.TRAVERSAL, strength, f"Read as a path: {sentence}.")]


def _net(text: str) -> int:
    """How many steps above its start the text climbs at its highest point."""
    depth = lowest = 0
    start = max(text.rfind("=", 0, text.find("..")), 0)
    for segment in text[start:].lstrip("=/\\").replace("\\", "/").split("/"):
        name = segment.split(";")[0].strip("\x00 ")
        if name.startswith("..") and not name.strip(".\x00 "):
            depth -= 1
            lowest = min(lowest, depth)
        elif name and name != ".":
            depth += 1
    return -lowest
