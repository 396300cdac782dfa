# ruff: noqa: E501  an expression is a datum of one line
"""Would this value run as script where a page shows it?

Looks for what a browser would execute: a script element, an event handler, a `javascript:` address,
active elements, or a way out of an attribute or a script string into a call. Plain formatting
(`<p>`, `<b>`, a link to a page) is what editors send and is no evidence.
"""

from __future__ import annotations

from typing import Final

import re2

from logvision.detect.fusion import Evidence
from logvision.detect.verify.proofs import AnyOf, Proofs
from logvision.schema import Attack

RULE: Final = "verify.markup"

_TAG: Final = (
    "a|abbr|acronym|address|animate|animatemotion|animatetransform|applet|area|article|aside|audio|b|base|basefont|"
    "bdo|bgsound|big|blink|blockquote|body|br|button|canvas|center|code|col|command|content|custom|datalist|dd|"
    "details|dialog|dir|div|dl|dt|em|embed|fieldset|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|"
    "html|i|iframe|ilayer|image|img|input|ins|isindex|kbd|keygen|label|layer|legend|li|link|listing|main|map|mark|"
    "marquee|math|menu|meta|meter|multicol|nav|nobr|noembed|noframes|noscript|object|ol|optgroup|option|output|p|"
    "param|plaintext|pre|progress|q|rt|ruby|s|samp|script|section|select|set|shadow|slot|small|source|spacer|span|"
    "strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|"
    "tt|u|ul|use|var|video|wbr|xml|xmp|x|xss|discard|foreignobject"
)
_ACTIVE: Final = (
    "applet|area|audio|base|bgsound|body|button|canvas|details|dialog|embed|event-source|fencedframe|fieldset|form|frame|"
    "frameset|head|html|iframe|import|input|isindex|keygen|layer|link|listener|map|marquee|math|meta|noscript|object|"
    "portal|script|select|slot|style|svg|template|textarea|title|use|video|xml|xmp|xss|foreignobject|animate\\w*"
)
_EVENTS: Final = (
    r"on(?:abort|activate|after\w+|animation\w+|auxclick|before\w+|begin|blur|bounce|canplay\w*|cellchange|change|"
    r"click|close|contextmenu|controlselect|copy|cuechange|cut|data\w+|dblclick|deactivate|drag\w*|drop|durationchange|"
    r"emptied|end|ended|error\w*|filterchange|finish|focus\w*|formchange|forminput|fullscreen\w+|gotpointercapture|hashchange|"
    r"help|input|invalid|key\w+|layoutcomplete|load\w*|losecapture|lostpointercapture|media\w+|message|mouse\w+|move\w*|"
    r"offline|online|outofsync|page\w+|paste|pause|play\w*|pointer\w+|popstate|progress|propertychange|ratechange|"
    r"readystatechange|redo|repeat|reset|resize\w*|resume|reverse|rows\w+|scroll\w*|search|seek\w*|select\w*|show|stalled|start|"
    r"stop|storage|submit|suspend|sync\w+|timeupdate|time\w*|toggle|touch\w+|track\w+|transition\w+|undo|unhandledrejection|unload|url\w+|"
    r"volumechange|waiting|webkit\w+|wheel)"
)
_CALLS: Final = (
    r"(?:alert|prompt|confirm|eval|setTimeout|setInterval|Function|fetch|import|print|open|write|writeln|"
    r"fromCharCode|atob|unescape|execScript|location|document|window|self|top|parent|this|globalThis|throw|XMLHttpRequest)"
)
_DO: Final = r"(?:alert|prompt|confirm|eval|execScript|setTimeout|setInterval|fromCharCode|atob|XMLHttpRequest|document\.\w+|window\.\w+|location(?:\.\w+)?)"
_S: Final = r"[\s/\x00-\x20]"


_PROOFS: Final = Proofs([
    ("(?is)" + expression, strength, sentence)
    for expression, strength, sentence in (
        (rf"<{_S}*script(?:{_S}|>|[^\w\s])", 0.97, "it opens a script element"),
        (rf"[^\w\s(]\s*>?\s*<{_S}*script$", 0.72, "a script element is begun after what closes another"),
        (rf"<{_S}*script$", 0.28, "a script element is begun"),
        (r"</\s*script\b", 0.9, "it closes a script element"),
        (rf"<[^<>]{{0,400}}?[\s/\"'`\x00-\x20;]{_EVENTS}\s*=", 0.97, "an element carries an event handler"),
        (rf"<(?:{_TAG})\b[^<]{{0,600}}?[\s/\"'`]on[a-z]{{3,20}}\s*=", 0.93, "an element carries an event handler"),
        (r"<[^<>]{0,600}?(?:src|href|data|action|from|to|values|content|background|dynsrc|lowsrc|code|codebase|poster|url|style|folder|srcdoc|by)\s*=[^<]{0,200}?(?:j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t|vbscript|livescript|mocha)\s*:", 0.97, "an element points at script"),
        (r"<[^<>]{0,400}?(?:src|href|data|content|action)\s*=[^<]{0,60}?data:[\w/+-]*(?:html|script|svg|xml|base64|,)", 0.9, "an element embeds a document"),
        (rf"<{_S}*(?:iframe|frame|frameset|object|embed|applet|base|layer|ilayer|bgsound|isindex|keygen|plaintext|xmp)\b[^<]{{0,300}}?(?:src|data|href|code|srcdoc|prompt|type)\s*=|<{_S}*(?:object|embed|applet|isindex|iframe|plaintext)\b", 0.85, "it embeds an active element"),
        (rf"<{_S}*meta\b[^<]{{0,200}}?(?:http-equiv|charset)", 0.9, "it sets a page header"),
        (rf"<{_S}*(?:svg|math)(?:{_S}|>|\"|$)", 0.72, "it opens a drawing that can hold script"),
        (rf"<{_S}*(?:link|style)\b[^<]{{0,200}}?(?:@import|expression|javascript|behavior|binding|stylesheet|//|url\s*\()", 0.85, "it brings its own style sheet"),
        (rf"<{_S}*style\b", 0.6, "it brings its own style sheet"),
        (rf"<{_S}*(?:img|image|video|audio|input|source|track|picture)\b[^<>]{{0,300}}?src\s*=\s*[\"'`]?\s*(?:x|1|\.|/|#|xx?)?\s*[\"'`]?\s*(?:>|$|/>|on)", 0.6, "an image that cannot load"),
        (r"(?:style\s*=|;|\{|\"|').{0,200}?(?:expression\s*\(|behavior\s*:\s*url|-moz-binding\s*:|@import\s+[\"'u(])", 0.85, "a style that runs script"),
        (rf"[\"'`>\s/]{_EVENTS}\s*=\s*[\"'`]?[^\s\"'`&=]{{0,80}}?(?:{_CALLS}|\w+\s*[(`]|\\|\[)", 0.93, "an event handler is put into an element"),
        (rf"^[\s\"'`]*{_EVENTS}\s*=\s*[\"'`]?\s*\w+(?:\??\.\w+)*\s*[(`]", 0.9, "an event handler is put into an element"),
        (r"[\"'`][\s/+]{0,10}on[a-z]{3,20}\s*=", 0.88, "a quote is closed and an event handler follows"),
        (rf"[\"'`]\s*[)\]}}]*\s*[;,+\-*/^|&%?:<>=.]+\s*[(\[!+~-]*\s*(?:\w+\s*=\s*)?{_DO}\s*(?:[(`,;=\[]|\?\.)", 0.93, "a string is closed and a call follows"),
        (rf"[)}}\]];\s*{_DO}\s*[(`]|[;{{]\s*{_DO}\s*[(`][^)]{{0,60}}[)`]\s*;?\s*//", 0.85, "a statement is closed and a call follows"),
        (r"^[^\w]*j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t\s*:.{0,40}?(?:[(`\[=]|\\|%|//|:)", 0.88, "an address that runs script"),
        (r"(?:vbscript|livescript)\s*:\s*\w", 0.88, "an address that runs script"),
        (r"\bdata:\s*(?:text/html|image/svg\+xml|application/x?html|text/xml|text/javascript)[^,]{0,40},", 0.85, "a document in an address"),
        (rf"(?:^|[\"'`=;(,{{>\s:]){_DO}\s*[(`]\s*(?:[\"'`\d/\\]|document|window|this|String|location|\))", 0.45, "a call into the page"),
        (r"\b(?:alert|prompt|confirm)\s*[(`]\s*(?:document\.|window\.|String\.|location|[\"'`]?xss)", 0.8, "a call that shows the page's secrets"),
        (r"\bdocument\s*\.\s*(?:cookie|domain|write(?:ln)?\s*\(|location\s*=|body\.\w+\s*\(|createElement\s*\()", 0.72, "it reads or writes the document"),
        (r"\bString\s*\.\s*fromCharCode\s*\(\s*\d", 0.8, "text is built from character codes"),
        (r"(?:constructor|prototype)\s*[\[(]\s*[\"'`]?(?:constructor|al|ev|_?_proto__)|[\])]\s*[\[(]\s*(?:[\"'`](?:constructor|al|ev)|constructor\b|alert\b|eval\b|_?_proto__)", 0.85, "a function is reached through a constructor"),
        (r"(?:\[\s*\]|\{\s*\}|!\s*\[\s*\]|\+\s*\[\s*\])\s*\[\s*(?:\(|!|\+|\[|[\"'`](?:constructor|filter|map|sort))", 0.9, "code without letters"),
        (r"(?:self|top|window|parent|frames|globalThis|this)\s*\[\s*(?:[\"'`/(]|\d).{0,60}?\]\s*[(`]", 0.88, "a function is reached by a built name"),
        (r"[ +]ADw-|\+ADw-", 0.9, "markup in UTF-7"),
        (r"'';!--\"|\"<\w{1,30}>=&\{\(?|\xbcscript\xc2?\xbe", 0.93, "the mark of a search for places where script runs"),
        (r"^\s*data:[^,]{0,80}base64\w*,\s*(?:PHN|PGl|PGh|PHM|PGJ|PGE)", 0.88, "a document in an address"),
        (r"\bstyle\s*=[^<>]{0,200}?(?:\\[\dA-Fa-f]|behaviou?r\s*:|binding\s*:|url\s*\([^)]{0,80}[;{}]|font-family\s*:[^\"<>]{0,60}[{}\[;]\s*;?color|\[\w\])", 0.75, "a style that runs script or breaks out of its place"),
        (r"url\s*\(\s*[\"']?\s*javascript:", 0.85, "a style that runs script"),
        (r"<xml\s+(?:src|id)\s*=|\bdatasrc\s*=\s*[\"']?#", 0.8, "an island of data"),
        (rf"^[)}}\]'\";]+\s*{_DO}\s*[(`][^)]{{0,40}}[)`]\s*[;,{{}}(\[]*$", 0.75, "a block is closed and a call follows"),
        (rf"<(?:{_TAG}|[a-z]{{1,20}}-[a-z]{{1,20}})\b[^<>]{{0,300}}?\b(?:srcdoc|formaction|xlink:href|allowscriptaccess|autofocus|contenteditable|attributename|ng-\w+|v-\w+|http-equiv)\s*=?", 0.7, "an element with an active attribute"),
        (r"<!\[CDATA\[|<!ENTITY|<\?xml-stylesheet(?:[^>]{0,120}(?::|//|#)|[^>]{0,80}$)|<\?import|<!--\[if", 0.72, "a construct that hides markup"),
        (rf"^[^<]*[\"'`]\s*/?\s*>\s*<(?:{_TAG})\b", 0.85, "an attribute is closed and an element follows"),
        (r"^[^<]*[\"']\s*/?>\s*(?:<!--|<)", 0.72, "an attribute is closed and markup follows"),
        (r"[\"'`]\s*(?:autofocus|onfocus|formaction|srcdoc)\b", 0.7, "a quote is closed and an attribute that acts follows"),
        (r"\{\s*\}\s*\*?\s*\{\s*[\w-]{2,20}\s*:", 0.72, "a style rule is closed and another begun"),
        (r"(?:url|image)\s*\(\s*[\"']?\s*javascript", 0.8, "a style that runs script"),
        (r"\[\s*Symbol\s*\.\s*\w{3,20}\s*\]", 0.72, "a call is reached by a symbol"),
        (r"[(,=]\s*(?:alert|confirm|prompt|eval)\s*[),\]}/]|\[\s*(?:alert|confirm|prompt|eval)\s*\]\s*[.)]|:\s*(?:alert|confirm|prompt|eval)\}", 0.62, "a call that shows itself is handed on"),
        (r"\b(?:alert|confirm|prompt)\(\d*\)\s*(?:\|\||&&|\?\?)|(?:=>|=>\s*\{|\|\||&&|\?\?|\breturn\s)\s*(?:alert|confirm|prompt|eval)\s*[(`]", 0.75, "a function that calls into the page"),
        (r"^(?:[^\w]|\bvoid\s)*(?:(?:window|self|top|parent|this|globalThis|frames|content|app)\s*\??\.\s*)+(?:alert|prompt|confirm)\s*\??\.?[(`]|^[^\w]*(?:alert|prompt|confirm)(?:\??\.(?:call|apply|bind))?\(\s*(?:[^\sa-z)]|document|window|this|parseInt|unescape|location|origin|null|undefined)[^<>]*\)[^\w\s<>]*$", 0.62, "a call that shows itself"),
        (r";\s*throw\s+new\s+\w*Error\s*\(.*\)\s*(?://|;)|^[^\w]+throw\s+new\s+\w*Error\s*\(", 0.72, "a statement is closed and another follows"),
        (r"\][(:]\s*<?\s*(?:j\s*a\s*v\s*a\s*s\s*c\s*r\s*i\s*p\s*t|vbscript)\s*:|\][(:]\s*<?\s*(?:data|file)\s*:\s*(?:text/html|alert|prompt|confirm|eval)", 0.85, "a link of Markdown that runs script"),
        (r"\bconstructor\s*\.\s*constructor\b", 0.85, "a function is reached through a constructor"),
        (r"\\(?:0{0,4}3c|0{0,3}74|74|u\{0{0,4}3c\})\s*/?\s*(?:script|img|svg|iframe|body|input|object)", 0.88, "an element is written in escapes"),
        (r"^\s*javascript\s*:\s*(?:[\w-]+\.)+[a-z]{2,6}(?:[/?#:]|$)", 0.72, "an address that runs script"),
        (r"[\"'`](?:al|ale|e|ev|eva|pro|con|conf|doc|win|java)[\"'`]\s*[+,]\s*[\"'`](?:ert|rt|val|al|l|mpt|firm|irm|ument|dow|script)[\"'`]", 0.8, "a name is put together from pieces"),
        (r"[\"'`]\s*\+\s*(?:''|\"\")\s*\+\s*[\"'`]", 0.6, "text is put together from nothing and pieces"),
        (r"(?:\\[01][0-7]{2}){4}", 0.72, "text is written in octal escapes"),
        (r"[\"'`]\s*[-+;,]\s*print\s*\(\d*\)\s*(?:[-+,]\s*\\?[\"'`]|;?\s*//)", 0.8, "a string is closed and a call follows"),
        (r"\{\s*(?:(?:this|self|window|top|parent|globalThis)\s*\.\s*)?(?:alert|prompt|confirm)\s*[(`]\d*[)`]\s*;?\s*\}", 0.8, "a function that calls into the page"),
        (r"<\?xml\s+version", 0.26, "an XML document"),
        (r"\b(?:window|document|self|top|parent)\s*\.\s*location\b|\blocation\s*\.\s*(?:href|hash|assign|replace)\b", 0.29, "it names where the page is"),
        (r"<[a-zA-Z][\w:-]{1,40}(?:[\s/][^<>]{0,400})?/?>", 0.28, "an element"),
        (rf"<(?:{_TAG})\b[^<>]{{0,400}}/?>", 0.28, "an element"),
        (r"[\"'`][);,\-]{1,6}\s*<[a-zA-Z/!]|<[a-zA-Z]\w{0,20}>[\"']\w{0,12}[\"']", 0.62, "quotes and an element, to see what comes back"),
        (rf"<(?:{_ACTIVE})\b[^<>]{{0,400}}>", 0.55, "an element that is no plain formatting"),
        (r"<\w{1,20}[\s/][^<>]{0,60}=[^<>]{0,60}//\s*$|<\w{1,20}(?:\s\w{1,3})?//\s*$", 0.72, "an element is begun and the rest is made a comment"),
        (r"<[a-zA-Z][\w:-]{0,20}[\s/]{1,4}[\w:-]{1,20}\s*=[^<>]{0,300}$", 0.28, "an element with an attribute is begun"),
        (r"[)\w\]}`]\s*(?:\.\s*(?:call|apply|bind|find|map|sort|filter|some|every|forEach|reduce)\s*[(`]).{0,20}(?:alert|prompt|confirm|eval|navigation|import)", 0.85, "a call is passed on to another"),
        (r"\((?:alert|prompt|confirm|eval)\)\s*[(`]|(?:alert|prompt|confirm)(?:\?\.)?\s*[(`]\s*[)`]", 0.85, "a call that shows itself, hidden in parentheses"),
        (r"\bReflect\s*\.\s*\w{2,10}|\bnavigation\.navigate|\bset(?:Timeout|Interval)\s*[(`]\s*[\"'`]", 0.72, "a call is reached by reflection"),
        (r"[\"'`]\s*[-+*/^|&;,]{1,3}\s*\(?\w{1,20}\s*``\s*[-+*/^|&;,]{1,3}", 0.85, "a string is left and a call made"),
        (r"<\s*x\s*:\s*script|<\s*s\s+c\s*r\s*i\s*p\s*t|<f\s+o\s+r\s+m\b|<d\s+i\s+a\s+l\s+o\s+g", 0.85, "the name of an element is spread out"),
        (r"-moz-binding\s*:|:\s*url\s*\(\s*javascript", 0.8, "a style that runs script"),
        (r"[\"'`]?\s*formaction\s*=|\bautofocus\b[^<>]{0,40}\bon\w{3,20}\s*=", 0.6, "an attribute that acts is put into an element"),
        (r"<base\b[^<>]{0,40}href|<link\b[^<>]{0,100}href", 0.72, "addresses of the page are turned elsewhere"),
        (r"\{\s*(?:toString|valueOf)\s*[:(].{0,20}(?:alert|prompt|confirm)", 0.9, "an object whose text is a call"),
        (rf"^\s*<\s*/?\s*(?:{_TAG})\s*/?$", 0.28, "an element is begun"),
        (r"^\s*(?:alert|prompt|confirm)\s*[(`]\s*\d{0,9}\s*[)`]?\s*;?$", 0.6, "a call that shows itself"),
        (r"^\s*javascript\s*:\s*$", 0.55, "an address that runs script"),
        (rf"[-+*/^|&;,=!]\s*{_DO}\s*[(`]\s*(?:\d+|[\"'`/][^\"'`/]{{0,30}}[\"'`/]|document\.\w+)?\s*[)`]\s*(?:[-+*/^|&;,}}]|//|$)", 0.75, "a call is computed in"),
        (r"=\s*(?:alert|prompt|confirm|eval)\s*[,;]|__define[GS]etter__", 0.75, "a call is hidden behind a name"),
        (r"\.\s*(?:innerHTML|outerHTML|insertAdjacentHTML)\s*[=(]|\$\s*\.\s*getScript\s*\(|\bimportScripts\s*\(", 0.7, "it writes into the page"),
    )
])  # fmt: skip

_GATE: Final = AnyOf(
    r"(?is)<|script\s*:|\bon[a-z]{3,20}\s*=|expression\s*\(|ADw-|data:|binding|\\(?:74|0+3c|0+74|u\{|[01][0-7]{2}\\)|"
    + _DO
)
_CLOSED: Final = AnyOf(r"(?s)[\"'`)\]};(\[].*[(`=]")
_CLOSED_NEAR: Final = AnyOf(r"(?s)[\"'`)\]};(\[].{0,80}[(`=]")
"""What may be a way out of a string, and the same within `_NEAR` characters, which an automaton finds slowly."""
_NEAR: Final = 80
_HARMLESS: Final = re2.compile(
    r"(?is)^\s*javascript:\s*(?:void\s*\(?\s*0?\s*\)?|;|//|#|history\.(?:back|go)\([-\d]*\)|window\.(?:print|close)\(\))?\s*;?\s*$"
)

TELLING: Final = (*_PROOFS.expressions, r"\x00", "['\"][^ =/]*[<>]|[<>][^ =/]*['\"]")
"""Without any of these there is nothing to find; the last is read as if it were not there."""


TRIED: Final = 0.7
_WORD: Final = 60


def _tries(text: str) -> bool:
    """Whether one word has quotes of both kinds and both angle brackets, and is neither an element nor code."""
    return (
        len(text) <= _WORD
        and all(mark in text for mark in "<>'\"")
        and not any(mark in text for mark in (" ", "=", "/", "->", "=>"))
    )


def _closes(text: str) -> bool:
    """Whether what may close a string or block is followed by what may be a call."""
    return _CLOSED(text) and (len(text) <= _NEAR + 2 or _CLOSED_NEAR(text))


def verify(text: str) -> list[Evidence]:
    """The strongest proof that the text would run; at most one piece of evidence."""
    text = text.replace("\x00", "").replace("\x0b", " ")
    if not _GATE(text) and not _closes(text):
        return []
    if "javascript:" in text.lower() and _HARMLESS.match(text):
        return []
    best = _PROOFS.strongest(text)
    if best[0] < TRIED and _tries(text):
        best = (TRIED, "one word has every mark that closes something, to see which come back", text)
    if best[0] <= 0:
        return []
    return [Evidence(RULE, Attack.XSS, best[0], f"Read as HTML: {best[1]} ({best[2][:60]!r}).")]
