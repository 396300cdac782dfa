# ruff: noqa: E501  an expression is a datum of one line
"""What SQL's tokens (`sql_tokens`) would do in each place they could land: grammars over one letter a token."""

from __future__ import annotations

from typing import Final

from logvision.detect.verify.proofs import Best

# v: what stands where SQL wants a value. Calls and parentheses may hold anything but a statement's end.
_V: Final = r"(?:[+!(]*(?:[1sv]|[fT]\((?:[^;]*?)\)|S[^;]*F[^;]*)\)*)"
_W: Final = r"(?:[+!(]*(?:[1svb]|b\.b|[fgT]\((?:[^;]*?)\)|C[^;]*|\(S[^;]*|S[^;]*)\)*)"
_X: Final = rf"{_W}(?:\+{_W})*"

_N: Final = rf"{_V}(?:\+{_V})*"  # a number, or a sum that makes one

_READINGS: Final = (
    # (grammar, places: n as it stands, q in '...', d in "..."; strength, sentence)
    (r"[1sv)bfqgK]?\)*U[(K]*S+[K(+!]*(?:[1svT*fg]|b[,.F]|\(|C)", "nqd", 0.97, "a second query is joined on by UNION SELECT"),
    (r"[1sv)]U[(K]*S+[K(+!]*b?$|^U[(K]*S+[K(+!]*b$", "nqd", 0.97, "a second query is joined on by UNION SELECT"),
    (r"^U[(K]+S+$", "n", 0.72, "a second query begins"),
    (r"^US+$", "n", 0.45, "a second query begins, or two words"),
    (rf"^{_V}\)*;+[(b]*(?:E[bKEIvg(s1]|E$|S[1svfTK(*b]|i\(|T\(|i[K!]?\(|b;E)", "nqd", 0.95, "a second statement follows a semicolon"),
    (r"^\)*;+(?:E[bKEIvg1s(]|S[1svT(*f]|i\(|T\()", "n", 0.93, "a second statement follows a semicolon"),
    (rf"^s\)*&[!(]*{_X}=[!(+]*{_X}", "qd", 0.96, "the quote is closed and a condition that is always known is added"),
    (rf"^{_N}\)*&[!(]*{_X}=[!(+]*{_X}", "n", 0.93, "a condition is added after the number"),
    (r"^s\)*&[!(+]*(?:1\)*(?:[c;&=+OU]|$)|s\)*(?:[=c&+s]|$)|T|f|v|C|\(*S[^b]|b\.)", "q", 0.9, "the quote is closed and a condition is added"),
    (r"^s\)*&[!(+]*(?:1\)*[c=]|T\(|\(+S|f\([^;]*\)=|s?c)", "d", 0.9, "the quote is closed and a condition is added"),
    (r"^s\)*&[!(+]*[b1K]?c", "q", 0.75, "the quote is closed, a condition begins and the rest is made a comment"),
    (r"^s\)*&[(!]*$", "q", 0.35, "the quote is closed and a condition begins"),
    (rf"^{_V}\)*&[!(]*(?:T|C|\(*S|[fg]\([^;]*\)=|s=)", "n", 0.92, "a condition with a subquery or call is added"),
    (rf"^{_V}\)*&[!(+]*1\)*c", "n", 0.72, "a constant condition is added and the rest is made a comment"),
    (rf"^{_V}\)*&[!(+]*1\)*$", "n", 0.35, "a constant condition is added"),
    (rf"^(?:s|{_V})\)*(?:[+,=]|&)[(+]*(?:T\(|\(S|[f]\([^;]*S|[fgi]\([^;b]*=)", "nqd", 0.94, "a subquery or a telling function is computed in"),
    (rf"^s\)*(?:OY[(+]*(?:1|s|C|\(S|f|b[c,])|H{_X}=|L1|I[Kv]|Ib(?:$|[c;,(])|W{_X}=)", "qd", 0.88, "the quote is closed and a clause is added"),
    (rf"^{_V}\)+(?:Kb)?W[(]*{_X}=", "n", 0.93, "a parenthesis is closed and a clause is added"),
    (rf"^s\)+(?:Kb)?W[(]*{_X}=", "qd", 0.93, "the quote and a parenthesis are closed and a clause is added"),
    (r"^s(?:=bb)?\)+[;&]", "qd", 0.9, "the quote and a parenthesis are closed"),
    (rf"^{_V}\)*OY[(+]*(?:1|s|\(S|C|f|T)", "n", 0.92, "an ORDER BY or GROUP BY is added"),
    (r"^OY[(+]*(?:1[c,]|T\(|\(S|C)", "n", 0.72, "a fragment that orders or groups"),
    (r"^b\)*OY1c", "n", 0.75, "an ORDER BY is added after a word and the rest is made a comment"),
    (r"^s\)*&[!+]*\([^;&]*\)+c", "q", 0.8, "the quote is closed and a condition is added"),
    (r"^OY1$", "n", 0.5, "a fragment that orders or groups"),
    (r"^(?:H|(?:Kb)?W)[(]*1=1", "n", 0.85, "a fragment that is always known"),
    (rf"^{_V}\)*(?:H{_X}=|L1,?1?(?:c|K|I|U)|I[Kb]s|K\(S|H1)", "n", 0.85, "a clause is added after the number"),
    (r"^s\)*;*(?:E[Kv(I]|Eb[Kb]|S[1svfTK(*]|S[^;]*F|iK?\()", "q", 0.9, "the quote is closed and a statement begins"),
    (r"^s\)*(?:T\(|\(+S)", "qd", 0.93, "the quote is closed and a call or query begins"),
    (r"^s\)*=+[(!+]*(?:[1sv]|f\()\)*(?:c|$|&|;|=)", "q", 0.75, "the quote is closed and a comparison is made"),
    (r"^s\)*\+[(+]*(?:f\(|g\([^b;]*\)|T\()", "q", 0.85, "the quote is closed and a call is computed in"),
    (r"^[(+]*(?:T\([^;]*\)|i\([^;]*T\([^;]*\))[c;)]*$", "n", 0.72, "a function that delays or leaks is called"),
    (r"[(,&+=;]T\([^;]*\)", "nqd", 0.9, "a function that delays or leaks is called"),
    (r"[1s)+=&,(]\(+S[^;]*(?:F|T\(|f\()", "nqd", 0.9, "a subquery is computed in"),
    (r"^\(+S[^;]*(?:F[(Sbf]|T\(|f\()", "n", 0.85, "a subquery stands where a value belongs"),
    (r"^(?:[1s(]|i\().*CN[^;]*K[^;]*K", "nq", 0.75, "a CASE expression is computed in"),
    (rf"^\)+&[!(]*{_X}=", "n", 0.85, "a parenthesis is closed and a condition is added"),
    (r"^&[!(]*(?:1|s|f\([^;]*\))=+[(]*(?:1|s|f|S|U|T)", "n", 0.85, "a condition that is always known is added"),
    (r"^&[!(]*(?:T|f)\(", "n", 0.7, "a condition with a telling call is added"),
    (r"^E(?:EbI|Kb;|[vb](?:b|E|\()|bb?\.\.?b|T)[^;]*(?:;?c|;$|;[ESU])", "n", 0.6, "a statement and its end"),
    (r"^S[^;]*F[^;]*[;c]", "n", 0.6, "a query and its end"),
    (rf"^{_V}(?:W[(]*1=1|&1OY|E\()", "n", 0.9, "a clause is added after the number"),
    (r"^[fi]\([(]*1=1,", "n", 0.85, "a function chooses by a condition that is always known"),
    (r"^s\+s=s", "d", 0.4, "the quote is closed and a comparison is made"),
    (r"^s(?:!?\+[+!]*[1sv])*!?=+[(!+]*[1sv]\)*(?:c|$|&|;|=)", "q", 0.75, "the quote is closed and a comparison is made"),
    (r"^b&[!(+]*1=[!(+]*1\)*(?:c|$)", "n", 0.8, "a condition that is always known is added"),
    (r"^b&1=1(?:c|$)", "n", 0.9, "a condition that is always known is added"),
    (r"^s\)*OYb?H1=1", "qd", 0.95, "the quote is closed and a clause is added"),
    (r"^s\)*&[!(]*g\([^;]*\)(?:=|c|&|$)", "q", 0.85, "the quote is closed and a call is compared"),
    (r"^s\)*;*Eb+[s,c]", "q", 0.85, "the quote is closed and a procedure is run"),
    (r"^T\([^;]*\)=", "n", 0.85, "a function that delays is compared"),
    (r"^[(+]*T\([^;]*f\(", "n", 0.85, "a function that leaks is called"),
    (r"^&[!(]*(?:1|b=b|b=f\([^;]*\))\)*[c;]", "n", 0.75, "a constant condition is added and the rest is made a comment"),
    (r"^\+*Fb[^;]*c", "n", 0.75, "the columns are replaced and the rest is made a comment"),
    (r"^CN[^;]*=[^;]*K1[^;]*K", "n", 0.7, "a CASE expression is computed in"),
    (r"^T\($", "n", 0.6, "a function that delays or leaks begins"),
    (r"^S[K(]*T\(", "n", 0.9, "a query that delays"),
    (r"^=\(+S[(]*C", "n", 0.85, "a comparison with a CASE expression is added"),
    (r"^i\([(]*1=1\)*S", "n", 0.9, "a statement that chooses by a condition that is always known"),
    (r"^E[vb][^;]*Sv=", "n", 0.9, "a variable is declared and filled"),
    (r"^S(?:[fT]\([^;]*\)[c;]|v)", "n", 0.6, "a query for what the server is"),
    (r"^\((?:\(|S|[fgT]\()[^b;]*\)+c", "n", 0.62, "an expression whose rest is made a comment"),
    (r"^Ev[gb][(1)=;]*.*E", "n", 0.9, "a variable is declared and executed"),
    (rf"^(?:s|{_V})\)*=[!(]*[1svb]\)*&[!(]*(?:[fgT]\([^;]*\)|{_X}=)", "qd", 0.93, "the quote is closed and conditions are added"),
    (r"^\(1=1\)+\+1", "n", 0.9, "a comparison is computed with"),
    (r"^s\)*\+[!+]*[1sv]\)*c", "q", 0.72, "the quote is closed, something is computed in and the rest is made a comment"),
    (rf"^(?:s|{_V})\)*&[!(]*K\(+S", "nqd", 0.93, "a condition with a subquery or call is added"),
    (r"^s\)*;+E&E", "q", 0.9, "the quote is closed and a statement begins"),
    (r"^s\)*&\(K\)", "q", 0.75, "the quote is closed and a condition begins"),
    (r"^&[!(]*(?:1|s|b)=[(]*(?:i\(|[fT]\(|S)", "n", 0.85, "a condition with a call or query is added"),
    (r"^OYbH[(!]*[1sv]\)*=", "n", 0.85, "a fragment that groups"),
    (r"^Ev=[^;]*;.*E", "n", 0.9, "a variable is filled and executed"),
    (r"^EI?b?[gb](?:\([b,]*\))?[bgK]*K\([1sfv(]", "n", 0.72, "rows are written"),
    (r"^S(?:[1v]|[fgT]\([^;]*\))(?:,(?:[1vs]|[fgT]\([^;]*\)))*[;c]", "n", 0.6, "a query for what the server is"),
    (r"^S[^;?]*F[b(s]", "n", 0.29, "a query"),
    (r"^S[^;?]*F[b(s].*(?:W{_X}=|OY[b1]|L1|U|H)".replace("{_X}", _X), "n", 0.29, "a query with clauses"),
    (r"^E(?:I(?:K|b|g)|Fb|K[bg]|bEb=|bK)", "n", 0.4, "a statement"),
    (r"^s\)*\+*;*S+[i1svfgT*(+]", "q", 0.8, "the quote is closed and a query begins"),
    (r"^&\+*[!(+]*1=[!(+]*1", "n", 0.85, "a condition that is always known is added"),
    (r"^[!(+]*i\([^;]*(?:i\(|f\()[^;]*=[^;]*,", "n", 0.45, "a function chooses by a condition"),
    (r"^s\)*(?:,(?:1|s|K|v))+\)+", "qd", 0.85, "the quote and a list of values are closed"),
    (rf"^{_V}\)*,\(*(?:T\(|\(S|f\([^;]*S|CN)", "n", 0.9, "a subquery or telling function stands in a list"),
    (r"^s\)*&(?:f|g)\([^;]*\)(?:=|&|c)", "d", 0.85, "the quote is closed and a call is compared"),
    (rf"^s\)*&[!(]*{_W}(?:\+{_W})+(?:&|$|c)", "q", 0.72, "the quote is closed and an expression is added"),
    (r"^(?:\)|1\)*)+;+(?:E|S|i)", "n", 0.72, "a second statement follows a semicolon"),
    (rf"^{_V}\)*;+(?:T|C|i)", "n", 0.9, "a second statement follows a semicolon"),
    (r"^[fg]\(f\([^;]*f\([^;b]*\)[^;b]*=", "n", 0.6, "nested calls are compared"),
    (rf"^s\)*(?:\+[+!]*{_W})+(?:&|=)[!(+]*[1svb]", "q", 0.75, "the quote is closed and a comparison is made"),
    (r"[b1sv)](?:Kb)?(?:&|W|H|=)[!(+]*(?:1=[!(+]*1|T\(|\(S.*CN|s=s)(?:[^b]|b?$)", "n", 0.9, "a condition is added after what stands there"),
    (r"^\)+(?:Kb)?(?:&|W|H|=)[!(+]*(?:1=[!(+]*1|T\(|\(S.*CN|s=s)", "nqd", 0.9, "a parenthesis is closed and a condition is added"),
    (r"^s\)*(?:&|=)!+[(]*(?:T|f)\(", "qd", 0.93, "the quote is closed and a call is negated"),
    (rf"^b\)+(?:Kb)?(?:OY|W|H|&)[!(+]*(?:1|s|T|f|{_X}=)", "n", 0.85, "a parenthesis is closed and a clause is added"),
    (r"^s\)*&[!+]*b(?:\.b)?(?:\+|=)[!+]*[1s]", "d", 0.75, "the quote is closed and a condition is added"),
)  # fmt: skip
"""What each place makes of the letters. Strengths are set on libinjection's and HttpParamsDataset's samples, with
its hard negatives (inches, quoted phrases, "black and white")."""

GRAMMARS: Final = {
    place: Best([(g, strength, sentence) for g, places, strength, sentence in _READINGS if place in places])
    for place in "nqd"
}
"""By place, what is strongest of what it makes of some letters."""
