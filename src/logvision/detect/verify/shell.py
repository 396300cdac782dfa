# ruff: noqa: E501  an expression is a datum of one line
"""Does a shell run something if this value reaches it?

A mark that starts a command (`;`, `|`, `&&`, a line feed, a backtick, `$(`) counts only with a known
command after it and arguments of the shape that command takes: `fields=id|name|type` is a list.
Quotes, backslashes, carets, empty variables and `${IFS}` that only hide a word are taken out first.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import AnyOf, Proofs, Which
from logvision.schema import Attack

RULE: Final = "verify.shell"

_SURE: Final = (
    "whoami|uname|ifconfig|ipconfig|nslookup|wget|curl|netstat|systeminfo|tasklist|certutil|bitsadmin|powershell|pwsh|"
    "mkfifo|ncat|netcat|chmod|chown|passwd|useradd|adduser|crontab|busybox|tftp|gcc|lsof|printenv|rundll32|regsvr32|wmic|"
    "cscript|wscript|mshta|phpinfo|bash|zsh|dash|csh|ksh|tcsh|python[23]?(?:\\.\\d+)?|perl|ruby|nodejs|lua|socat|xxd|base64|"
    "sudo|mount|umount|iptables|systemctl|apt-get|hostname|traceroute|tracert|getent|proc_open|shell_exec|pingback|"
    "awk|gawk|sed|egrep|fgrep|xargs|nohup|killall|rmdir|mkdir|gethostbyname|sysctl|dpkg|openssl|sshpass|scp|telnet|nmap|"
    "ftpget|lsb_release|timeout|usleep|calc(?:\\.exe)?|sleep|ping[6]?|dig|lynx|fetch|aria2c|axel|netsh|schtasks|attrib|icacls|takeown|cmd(?:\\.exe)?"
)
_WORDY: Final = (
    "cat|id|ls|ps|w|who|dir|type|net|echo|find|more|sort|time|host|kill|last|less|head|tail|make|man|test|top|touch|wait|which|"
    "set|sh|at|date|env|history|cp|mv|rm|nc|ln|php|node|expr|exec|eval|source|export|grep|ssh|ftp|tar|zip|unzip|gzip|vi|vim|nano|"
    "reg|sc|copy|del|move|ren|start|call|ver|vol|tree|whereis|locate|alias|df|du|free|uptime|mail|print|printf|read|tee|tr|wc|cut|"
    "stat|split|strings|tac|rev|service|file|finger|users|groups|route|arp|su|ed|nl|od|pwd|cd|reboot|shutdown|halt|fmt|dd|java|go|function"
)
_END: Final = r"(?:\s*$|\s*[;|&`)\n\r\x00#>'\"}\]\\$])"
_ARGUMENT: Final = (
    r"\s*(?:\s[-/]{1,2}[a-zA-Z?]|\s[~./\\*$<>%]|\s['\"]?/|\s*[<>]{1,2}\s*[\w/&.$]|\s\w+=|\s(?:https?|ftp|file)://|\s(?:\d{1,3}\.){3}\d{1,3}|\s[a-z]:\\|\s\d+\b|"
    r"\s['\"$(]|\s[\w-]+\.[a-z]{2,}\b|\s\w+" + r"\s*(?:$|[;|&`)>]))"
)
_START: Final = (
    r"(?:[;|\n\r`]|&&|\|\||\$\(|<\(|>\(|&|\$\{IFS\}|\x00|(?:^|[^\w)\s$])\s*\{)\s*\(?\s*(?:\{\s*)?(?:!\s*)?"
)
_PLACE: Final = r"(?:[\w.~*?-]*/(?:usr/|s|local/|opt/)*(?:s?bin|\?{2,}|b[\w*?\[\]]{0,5})/+)?"

_PROOFS: Final = Proofs([
    ("(?is)" + expression, strength, sentence)
    for expression, strength, sentence in (
        (r"(?:^|[^\w\s\])}>])\s*\(\s*\)\s*\{.{0,40}?;\s*\}\s*;?", 0.985, "a function definition that old shells run (Shellshock)"),
        (rf"{_START}{_PLACE}(?:{_SURE})(?:{_END}|{_ARGUMENT}|\s)", 0.93, "a command follows a mark that starts one"),
        (rf"{_START}{_PLACE}(?:{_WORDY}){_ARGUMENT}", 0.9, "a command with arguments follows a mark that starts one"),
        (rf"(?:\$\(|`|<\(|&&|\|\|)\s*{_PLACE}(?:{_WORDY})(?:{_END})", 0.86, "a command is substituted or chained"),
        # "men's & w": one ampersand between blanks is a word of people, unless what stands before it is none.
        (rf"^(?:[\d.]*|[^\w]*|[^ ]*['\"`)}}\s])(?:[;|\n\r]|&[;|&\n\r])[;|&\n\r]*\s*\{{?\s*(?:{_WORDY})(?:{_END})", 0.82, "a command follows a mark that starts one"),
        (rf"^(?:[\d.]*|[^\w]*|[^ ]*['\"`)}}])\s*&\s*\{{?\s*(?:{_WORDY})(?:{_END})", 0.82, "a command follows a mark that starts one"),
        (rf"{_START}\s*(?:[\w.*?-]*/)+(?:bin|sbin|dev|etc|tmp|usr|var|proc|home)/[\w*?/.-]+", 0.9, "a program is started by its path"),
        (rf"(?:^|[\s;|&`(=/'\"!])/(?:usr/(?:local/)?)?s?bin/(?:[a-z]?sh|{_SURE}|{_WORDY}|[\w.+-]*[*?\[]+\S*)(?:{_END}|\s)", 0.85, "a program is started by its path"),
        (r"/(?:\?{2,3}|b\?n|\?in|bi\?)/[\w?*\[\]]{1,8}\b|/\?+/[\w?]*\?[\w?]*", 0.9, "a program's path is hidden by wildcards"),
        (r"\$\{?IFS\b|\$IFS\$?\d?|\{(?:cat|ls|rm|curl|wget|nc|bash|sh|ping|echo|nslookup|uname|chmod|tftp),[^{},]{0,3}[/.:$-][^{}]{0,200}\}", 0.93, "spaces of a command are hidden"),
        (rf"^\s*(?:sudo\s+)?(?:{_SURE})\s+(?:-\w+\s+)*(?:https?://|[.~/](?:[^a]|a[^l])|-[^&]{{0,60}}(?:://|\d\.\d|\s/)|(?:\d{{1,3}}\.){{3}}\d{{1,3}}|%|\$|[\w.-]+\.(?:com|net|org|ru|cn|io|xyz|me|pl|exe|sh|py|txt|php)\b)", 0.72, "the value is a command"),
        (r"^\s*(?:sudo\s+)?(?:u?sleep|ping6?)\s+\d+\s*[;&|`#]", 0.72, "the value is a command"),
        (r"\b(?:nslookup|dig|ping(?:\s+-\w+(?:\s+\d+)?)*)\s+(?:-\w+=?\S*\s+)*[\w-]+(?:\.[\w-]+)+", 0.75, "a name is looked up from the server"),
        (r"\bexpr\s+\d+\s*\\?[-+*/]\s*\d+", 0.96, "a sum that only a shell would do"),
        (r"\$\(\(\s*[\d+*/ -]+\)\)|\$\(\(.{1,40}\)\)", 0.85, "a sum that only a shell would do"),
        (r"\bset\s*[|&]\s*set\s*[|&]\s*set\b", 0.96, "a command that shows itself"),
        (r"\bset\s*[|&]\s*set\b|(?:^|\W)(?:set|dir|ver|id)\s*/\?", 0.9, "a command that shows itself"),
        (r"\bcmd(?:\.exe)?\s*/[ckr]\b|\bcommand\.com\b", 0.95, "the Windows shell is started"),
        (r"\bpowershell(?:\.exe)?\s+(?:-|\$|\(|iex|invoke)|\b(?:IEX|Invoke-(?:Expression|WebRequest|Command|RestMethod|Item))\b[\s(]|New-Object\s+(?:System\.)?Net\.|-(?:enc|EncodedCommand|nop|noprofile|ExecutionPolicy|WindowStyle)\b|\bGet-(?:ChildItem|Content|Process|Service|Item|Host|Location|Command|Date)\b\s*(?:-|$|[|;)])|\bDownload(?:String|File)\s*\(|Start-Process\s", 0.9, "PowerShell runs"),
        (r"(?:%(?:systemroot|windir|comspec|programfiles)(?::[^%]{0,20})?%|%(?:appdata|temp|username|os|path)(?::[^%]{1,20}%|%[\\/:]))", 0.75, "a Windows variable is read"),
        (r"\b(?:net\s+(?:user|localgroup|group|share|view|start)|reg\s+(?:add|query|delete)|wmic\s+\w+\s+(?:call|get|list)|type\s+[a-z]:\\|dir\s+[a-z]:\\|copy\s+[a-z]:\\|vssadmin|netsh\s+\w+|schtasks\s+/)", 0.86, "a Windows command"),
        (r"/dev/(?:tcp|udp)/|\bnc\b[^&]{0,40}\s-[a-z]*e\b|\bmkfifo\b|\bbash\s+-i\b|\bsh\s+-i\b|0<&\d|>&\s*/dev|2>&1", 0.95, "a shell is connected back"),
        (r"\b(?:wget|curl|tftp|ftpget|fetch)\s[^&]{0,200}?(?:[;|&]\s*(?:chmod|sh|bash|ba\w*sh|\./|python|perl|cat)|-O\s*-?\s*/?(?:tmp|dev|>))", 0.97, "a program is fetched and run"),
        (r"\bcd\s+/(?:tmp|var|dev|etc|usr)\b\s*(?:;|&&|\|\|)", 0.95, "a program is fetched and run"),
        (r"\bgethostbyname\s*\(|\bopen3?\s*\(\s*['\"].{0,80}\|", 0.9, "code that looks a name up from the server"),
        (r"\bchmod\s+(?:[0-7]{3,4}|[+-][rwx]+)\s+\S", 0.9, "a file is made executable"),
        (r"\b(?:cat|less|more|tail|head|tac|nl|grep\s+\S+)\s+(?:/etc/|/proc/|/var/|\.\./|~/|[a-z]:\\|\S*\.(?:php|conf|env|ini|log)\b)", 0.88, "a file is printed"),
        (r"\becho\s+[\w'\"$(-].{0,120}?(?:>+\s*[\w./~]|\|\s*(?:base64|sh|bash|xxd|md5sum|rev|perl|python)|;|`|\$\()", 0.85, "text is written by echo"),
        (r"(?:^|[;|&`\n])\s*(?:uname\s+-[a-z]+|ls\s+-[a-zA-Z]+|id\s*;|ps\s+-?[auxef]+|rm\s+-[rf]+\s)", 0.9, "a command with its flags"),
        (r"(?:^|\W)(?:rm|cp|mv|ln)\s+-[a-z]+\s+[/.~*\w]", 0.8, "a command with its flags"),
        (r"\b(?:python[23]?|perl|ruby|php|node|lua|(?:ba|k|z|c|da|tc)?sh|busybox)\s+-[a-zA-Z]*[ecr]\s*['\"]?\S", 0.9, "an interpreter is given code"),
        (r"(?:^|[;&|\n\"'`])\s*(?:rm|del|ver|uname|sleep|type|dir|id|ping(?:\.exe)?|set|cat|net|echo)\b\s*[;>\s][^&#]{0,80}(?:&\s*rem\b|;\s*rem\b|#\s*$|\|\s*rem\b)", 0.9, "a command whose rest is made a remark"),
        (r"[|&]\s*dir\s*\|?\s*[a-z]:|\bdir\s+[a-z]:[\\/]|\btype\s+[\\/]?[a-z]+\.ini", 0.86, "a Windows command"),
        (r"(?:^|[\s;|&\"'])ping(?:\.exe)?\s+-[a-z]\s+\d", 0.8, "a host is pinged from the server"),
        (r"/(?:etc|bin|usr)/[\w/]*(?:\[\w\]|\?|\*)[\w\[\]?*]*", 0.85, "a file's path is hidden by wildcards"),
        (r"(?:^|[;&|\s])netsh\s+\w+\s+set\b|\bnet\s+(?:local)?(?:group|user)\s+\S+\s+\S+\s*/add\b", 0.95, "a Windows command"),
        (r"\bwhoami\b\s*(?:$|[;|&`)\n'\"])", 0.62, "the server is asked who it is"),
        (r"\bcertutil\b.{0,60}-(?:urlcache|decode|f)\b|\bbitsadmin\b.{0,40}/transfer|\brundll32\b.{0,40},|\bregsvr32\b.{0,40}/[su]|\bmshta\b\s+\S+:", 0.95, "a Windows program is misused to fetch"),
        (rf"^\s*(?:{_WORDY}|{_SURE})\s+(?:-[a-zA-Z]+\s+)*(?:/\w+/|\.\./|~)(?:\w+/?)*", 0.7, "the value is a command"),
        (r"^\s*if\s*(?:/i\s*)?(?:not\s+)?(?:exist|defined|errorlevel|cmdextversion)\s+\S+\s+(?:\(|@?(?:echo|set|goto|call|del|start|cmd|dir|type|copy|exit|ping|ren|md|rd|move|if|do)\b)", 0.95, "a condition of a batch file"),
        (r"^\s*if\s*(?:/i\s+)?(?:not\s+)?(?:[\"'(\[{].{0,30}[\"')\]}]|%\S{1,30}|\w{1,30}%\d|\d+|\w{1,30})\s*(?:={2,3}|\b(?:equ|neq|lss|leq|gtr|geq)\b)\s*\S.{0,60}?(?:\s@?(?:echo|set|goto|call|cmd|cd|exit|do)\b|\()", 0.95, "a condition of a batch file"),
        (r"\bfor\s+(?:/[dlrf]\s+(?:[\"'][^\"']{0,40}[\"']\s+)?)?%{1,2}~?[a-z]\s+in\s*\(", 0.95, "a loop of a batch file"),
        (rf"\{{,\s*(?:{_PLACE}(?:{_SURE}|{_WORDY})|/[?*\w]{{1,6}}/[?*\w]{{1,6}})[^{{}}]{{0,80}}\}}|\{{\w{{1,5}},-\w{{1,8}}\}}\w", 0.9, "braces stand for spaces"),
        (rf"(?:^|[;|&`(=\s])[a-z]{{1,6}}(?:\$\(\)|``|[<>]\(\))[a-z]{{0,6}}\s+\S|\$\({_PLACE}(?:{_SURE}|id|ls|cat|who|ps)\b", 0.88, "nothing is substituted to hide a word"),
        (r"/\w{0,3}\$[_!?@*#$-]\w{0,6}/\w|/\w{1,3}\$\{\w{0,2}\}\w{1,4}/\w+|[a-z]\$[_!?@*$-][a-z]{1,4}\s+/", 0.85, "an empty variable hides a word"),
        (r"(?:^|[\s=;|&`(,{/'\"])/?(?:[a-z?]{1,3}\[[a-z!^?/][^\]\s]{0,13}\][a-z?]{0,6}|\[[a-z!^?/][^\]\s]{0,13}\][a-z]{1,4})/+[\w?*\[]|/(?:etc|s?bin|usr|usr/s?bin|dev|tmp|var|proc)/[\w/]{0,12}\[[^\]\s]{1,14}\]\w|/(?:a|e|u|b)\[[^\]\s]{1,14}\][a-z]{1,3}\b|/\w{2,3}\[\w\]/(?:ba|da|k|z)?sh\b", 0.85, "a file's path is hidden by wildcards"),
        (rf"^\s*[\"']?(?:time|nohup|env|strace|ltrace|exec|nice|setsid|stdbuf|command|builtin|timeout\s+\d+s?|busybox|doas)[\"']?\s+{_PLACE}(?:{_SURE}|who|id|ls|cat|sh)\b", 0.75, "a command is started by another"),
        (r"\$\{?(?:SHELL|BASH)\}?\s+-c\b|\$\{(?:PATH|HOME|PWD|SHELL|IFS|OLDPWD|HOSTNAME|LS_COLORS)(?:[:#%/][^}]{0,20})?\}.|\$\{\w{1,20}#+[^}]{0,20}\}|\$\{[A-Z_]{1,20}:\d{1,3}:\d{1,3}\}|\$ENV\{", 0.88, "a variable of the shell is taken apart"),
        (r"\b\w{1,8}=\w{1,12}\s*&&\s*\$\w{1,8}\b|(?:\b(?:cat|ba?sh|dash|zsh|rev|xargs|base64|base32|tr|xxd|od|perl|python3?|openssl)\b|\$0)[^<>]{0,20}<<<|\bkill\s+-(?:9|KILL)\b", 0.9, "a command is put together from variables"),
        (r"^\s*>{1,2}\s*/(?:tmp|var|etc|dev)/|\$\[\s*\d+\s*[-+*/]\s*\d+\s*\]|^\s*alias\s+(?:[+-]\w\+?\s+)?\w+=\S", 0.78, "something that only a shell would do"),
        (rf"^\s*(?:{_SURE})(?:\.exe)?\s+[-/][a-zA-Z]+\s*$", 0.45, "the value is a command with its flags"),
        (r"(?:\w(?:\"\"|'')){3}\w?|\b\w(?:\^\w){2,}|\b\w(?:\\\w){3,}\s|(?:^|[;|&`(\s])(?:\\\w){4,}(?:\s|$)", 0.85, "quotes are strewn into a word"),
        (rf"{_START}(?:cp|mv|ln)\s+[^\s;|&]{{1,60}}\s+[^\s;|&]{{1,60}}\s*(?:$|[;|&`)#])", 0.85, "a command with arguments follows a mark that starts one"),
        (r"[;|&]\s*\"?[a-z]:\\[^\s;|&]{1,120}\.(?:exe|bat|cmd|com|ps1)\b|[;|&`(]\s*\{(?:cat|echo|ls|rm|wget|curl|nc|id|sh|bash|ping),[^{}]{1,120}\}", 0.93, "a command follows a mark that starts one"),
        (rf"{_START}{_PLACE}(?:ip\s+(?:a|addr|r|route|link|neigh)\b|ss\s+-[a-z]|xterm\s+-|choice\s+/|waitfor\s+/|query\s+user\b)|[;|&`(]\s*\$'(?:{_SURE}|{_WORDY})'", 0.9, "a command follows a mark that starts one"),
        (r"\b(?:cat|tac|head|tail|sh|bash|dash|zsh|more|less|nl|rev)\s*<\s*[/~.]+\w", 0.9, "a program reads a file"),
        (r"\b\w{1,8}=\$?'[^';|&]+'\s*(?:;|&&)\s*(?:\w+\s+)?\$\w|\$\{\w+//?[^{}]*[/?*\\][^{}]*\}", 0.9, "a command is put together from variables"),
        (r"(?:^|\s)/[\w?*]{0,3}[?*][\w?*]{0,3}/[\w?*]{0,3}(?:assw|hado|host|grou|issu)[\w?*]{0,3}", 0.9, "a file's path is hidden by wildcards"),
        (r"%\w{3,30}:~-?\d+(?:,-?\d+)?%", 0.93, "a Windows variable is taken apart"),
        (r"\bpowershell(?:\.exe)?\s+[a-z]:\\", 0.9, "PowerShell runs"),
        (r"(?:^|\s)-{1,2}(?:oProxyCommand|gpu-launcher|renderer-cmd-prefix|to-command|checkpoint-action|upload-pack|receive-pack|use-compress-program|rsh-command)\s*=", 0.9, "an option that has a program start another"),
        (r"[=+@-]\s*(?:cmd|powershell|msexcel|rundll32|regsvr32|mshta|dde)\s*\|\s*['\"][^'\"]*['\"]\s*!", 0.93, "a cell of a table that starts a program"),
        (r"^\s*[=+@-]\s*(?:IMPORT(?:XML|FEED|HTML|DATA|RANGE)|WEBSERVICE|IMAGE|HYPERLINK)\s*\(.{0,40}//", 0.8, "a cell of a table that fetches from elsewhere"),
        (r"\{\.(?:exec|cookie|load|save|append|break|cut|set)\|", 0.95, "a macro of a file server runs a command"),
    )
])  # fmt: skip

_GATE: Final = AnyOf(
    r"(?is)[;|&`\n\r<>{}^\"'\\?\[]|\$[({\w@*]|\(\)|-(?:oProxy|-gpu|-to-c|-upload|-receive|-use-comp|-checkpoint)|%\w|[a-z_]\(|\b(?:"
    + _SURE
    + r"|cat|ls|rm|id|net|dir|type|expr|cp|echo|set|nc|IEX|uname|Invoke|Get|New|if|for|time|env|alias|command)\b"
)
_SHORT: Final = re2.compile(
    r"(?is)^(?:(?:\d{1,3}(?:\.\d{1,3}){3}|\d{1,6}|[a-z]|asdf|test)?\s*['\"]?\s*(?:[;|&\n\r]{1,2}|\|\||&&)\s*"
    r"(?:id|ls|pwd|whoami|uname|dir|ver|ifconfig|ipconfig|systeminfo|sysinfo|netstat|ps|env|set|hostname|tasklist|net user|w)"
    r"\s*(?:[;|&#\n\r'\"]{0,3}))$|^(?:id|ls|pwd|whoami|uname|w|dir)[|;]$|^/?[\w./-]{0,40}[|;](?:id|pwd|ls|whoami|uname)[|;]$|^\W{0,2}`(?:true|false|id|ls|pwd|w)`\W{0,2}$"
)
"""Too short to hold an argument; a letter, a number or an address before the mark stands for the expected value."""

_HIDING: Final = re2.compile(
    rb"""['"]{2}|\\(?:\n|([a-zA-Z/]))|\^|\$@|\$\*|\$\{[a-zA-Z_]{1,3}[\d]*\}([a-z/])|\$[a-zA-Z_]{1,3}[\d]*[a-z/]|\$\w{1,2}\b|['"]"""
)
_SPLIT: Final = re2.compile(
    r"(?i)^\s*[\"']?[a-z]{0,9}(?:''|\"\"|\\|\^|\$@|\$\*)[a-z]|^\s*(?:'[a-z]{1,4}'|\"[a-z]{1,4}\")[a-z]"
)
_FIRST: Final = AnyOf(rf"(?i)^\s*(?:{_SURE}|{_WORDY})(?:\s|$)")
"""A word whose quotes, backslashes or carets are not needed, and a command once they are gone."""
_PROSE: Final = re2.compile(r"(?:[A-Za-z\x80-\xff]{2,}[,.]?\s+){4,}|[\xe3-\xed\x80-\xbf]{18}")
"""Four words of any alphabet, or six characters of a script that writes no blanks (three bytes of UTF-8 each)."""
_ENTITY: Final = re2.compile(
    r"&(?:[mn]dash|nbsp|hellip|[lr][sd]quo|[lr]aquo|middot|bull|euro|times|deg|szlig|"
    r"[a-zA-Z](?:uml|acute|grave|tilde|circ|cedil|ring|slash)|#\d{2,5});"
)
"""A character by its name: its semicolon starts no command."""
_LIST: Final = re2.compile(r"^[\w.\s-]+(?:[|;,&][\w.\s-]+)*[|;,&]?$")
_TITLE: Final = re2.compile(
    r"^(?:[\w\s.,:!?+%()-]|\b'\b)*\b'\b(?:[\w\s.,:!?+%()-]|\b'\b)*(?: & (?:[\w\s.,:!?+%()-]|\b'\b)+)+$"
)
"""Words, one of them with an apostrophe, that an ampersand joins: `It's the weather & more`."""
_WHICH: Final = Which(_SHORT, _SPLIT, _PROSE, _LIST, _TITLE)

TELLING: Final = (*_PROOFS.expressions, _SHORT.pattern, _SPLIT.pattern, r"[$\\^\xa0]|``")
"""Without any of these there is nothing to find: in the text, in it with blanks for plus signs if it has no
other, or in either without its quotes. Behind the last all other kinds of hiding begin."""


def _bare(text: str) -> str:
    """The text without what only hides a word."""
    text = text.replace("``", "")
    if "$" in text:
        text = text.replace("${IFS}", " ").replace("$IFS$9", " ").replace("$IFS", " ")
    if "$" in text or "\\" in text or "^" in text:
        # As bytes: characters would be counted for every place that is found.
        found: bytes = _HIDING.sub(rb"\1\2", text.encode())
        return found.decode()
    return text.replace("'", "").replace('"', "")


def verify(text: str) -> list[Evidence]:
    """The strongest proof that a shell would run something; at most one piece of evidence."""
    text = text.replace("\xc2\xa0", " ").replace("\xa0", " ")
    if "+" in text and " " not in text:
        text = text.replace("+", " ")  # encoded twice: the plus was meant as a space
    if not _GATE(text):
        return []
    if "&" in text:
        text = _ENTITY.sub(" ", text)
    written = text
    if "\\n" in text or "\\r" in text:
        text = text.replace("\\n", "\n").replace("\\r", "\n")  # written out where a line feed is meant
    held = _WHICH(text)
    if _SHORT in held:
        sentence = (
            f"Read as a command: nothing but a mark and a command ({_SHORT.search(text).group()[:60]!r})."
        )
        return [Evidence(RULE, Attack.RCE, 0.75, sentence)]
    best = _PROOFS.strongest(text)
    if written != text and best[0] < 0.85:
        best = max(best, _PROOFS.strongest(written))  # or a backslash that only hides a letter
    bare = _bare(text)
    if bare != text and best[0] < 0.85:
        hidden = _PROOFS.strongest(bare)
        if hidden[0] * 0.97 > best[0]:
            best = (hidden[0] * 0.97, hidden[1], hidden[2])
    if best[0] < 0.8 and _SPLIT in held and _FIRST(bare):
        best = (0.8, "quotes split the name of a command", text[:60])
    if best[0] <= 0:
        return []
    strength = best[0]
    if strength < 0.95:
        # In prose a mark and a word that is also a command meet by chance; so they do in plain lists.
        head = best[2].strip(";|& \n").split(" ")[0].lower()
        if _PROSE in held or (held & _LISTS and head not in _TELLING):
            strength *= 0.25 if _TITLE in held else 0.5
    return [Evidence(RULE, Attack.RCE, strength, f"Read as a command: {best[1]} ({best[2][:60]!r}).")]


_LISTS: Final = frozenset([_LIST, _TITLE])
_TELLING: Final = frozenset(
    [
        "whoami",
        "uname",
        "ifconfig",
        "ipconfig",
        "nslookup",
        "wget",
        "curl",
        "netstat",
        "systeminfo",
        "ping",
        "sleep",
        "bash",
    ]
)
