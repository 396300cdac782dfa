"""Attacks by number: scans, guessing of passwords, floods, false crawlers, fast, slow and spread out."""

from __future__ import annotations

from collections.abc import Sequence

from logvision.schema import Attack, Outcome, Stage
from logvision.sources.generate import payloads
from logvision.sources.generate.addresses import attacker, attackers_everywhere, neighbours
from logvision.sources.generate.agents import browsers
from logvision.sources.generate.script import CHROME, Answer, Script
from logvision.sources.generate.site import Site

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def _probe(script: Script, site: Site, path: str, agent: str, hits: float, client: str = "") -> None:
    """One path asked for: mostly it is not there; a sensitive file that is there is a success."""
    sensitive = path in payloads.SENSITIVE
    answer, outcome = script.missing(site), Outcome.MISSED
    if script.chance(hits):
        there = Answer(200, int(script.rng.integers(300, 60_000)), 2_000)
        refused = Answer(403, 153, 500)
        answer, outcome = (there, Outcome.WORKED) if sensitive else (refused, Outcome.BLOCKED)
    script.send(
        site,
        path,
        answer,
        client=client,
        agent=agent,
        attack=Attack.SENSITIVE if sensitive else Attack.PROBE,
        outcome=outcome,
        stage=Stage.RECON if outcome is not Outcome.WORKED else Stage.PROBE,
    )


def _words(script: Script, count: int) -> list[str]:
    """Paths as from a word list: the same order for everybody who uses the list, some with endings."""
    paths = [f"/{word}" for word in payloads.WORDS]
    paths += [
        f"/{word}{end}"
        for end in (".php", ".bak", ".zip", "/", ".old", ".txt")
        for word in payloads.WORDS
        if "." not in word
    ]
    every = [path for pair in zip(paths, payloads.SENSITIVE * 20, strict=False) for path in pair]
    begin = int(script.rng.integers(0, 40))
    return list(dict.fromkeys(every[begin:]))[:count]


def directory_scan(script: Script) -> None:
    """A word list against one site from one machine, fast."""
    script.actor = attacker(script.rng)
    site = script.site("shop", "docs", "media", "app")
    agent = script.pick((*payloads.SCANNERS[1:5], CHROME, payloads.PLAIN_TOOLS[0]))
    for path in _words(script, script.lines):
        _probe(script, site, path, agent, hits=0.015)
        script.wait(script.seconds / script.lines)


def vulnerability_scan(script: Script) -> None:
    """A scanner with templates of known holes, on every site of the machine."""
    script.actor = attacker(script.rng)
    agent = script.pick((payloads.SCANNERS[0], payloads.SCANNERS[4], CHROME, payloads.PLAIN_TOOLS[2]))
    for path in script.deal((*payloads.CVES, *payloads.CVES, *payloads.SENSITIVE), script.lines):
        site = script.site()
        if path in payloads.SENSITIVE:
            _probe(script, site, path, agent, hits=0.02)
        else:
            answer = Answer(400, 150, 300) if "%%" in path or "${" in path else script.missing(site)
            method = "POST" if path.endswith((".php", "bash", "metadatauploader")) else "GET"
            script.send(
                site,
                path,
                answer,
                agent=agent,
                method=method,
                attack=Attack.CVE,
                outcome=Outcome.BLOCKED if answer.status == 400 else Outcome.MISSED,
            )
        script.wait(script.seconds / script.lines)


def slow_scan(script: Script) -> None:
    """A few requests an hour, an ordinary browser's name, for hours or days."""
    script.actor = attacker(script.rng)
    site = script.site("shop", "blog", "docs")
    agent = browsers()[int(script.rng.integers(60))][0]
    for path in script.deal(payloads.SENSITIVE, script.lines):
        _probe(script, site, path, agent, hits=0.03)
        script.wait(script.seconds / script.lines, jitter=0.8)


def distributed(script: Script) -> None:
    """One word list dealt out to the machines of a /24, so that no address does much."""
    script.actor, hosts = neighbours(script.rng, max(8, script.lines // 5))
    site = script.site("shop", "blog", "docs")
    agent = script.pick(payloads.PLAIN_TOOLS)
    for place, path in enumerate(_words(script, script.lines)):
        _probe(script, site, path, agent, hits=0.01, client=hosts[place * 7 % len(hosts)])
        script.wait(script.seconds / script.lines)


def brute_force(script: Script) -> None:
    """One machine guesses passwords of one login; in some runs the last guess is right."""
    script.actor = attacker(script.rng)
    site = script.site("blog", "app")
    press = site.name == "blog"
    target = "/wp-login.php" if press else "/api/v1/session"
    agent = script.pick((CHROME, payloads.PLAIN_TOOLS[0], "Mozilla/5.0 (Hydra)"))
    referer = f"https://{site.host}{target}" if press else "-"
    in_time = script.chance(0.4) and site.name in ("blog", "app")

    def wrong_password() -> Answer:
        # WordPress shows its form again, an API says 401; other sites have no such login.
        if press:
            return script.usual(site, "sign_in").with_form(6_512)
        return script.usual(site, "session_wrong") if site.name == "app" else script.missing(site)

    for turn in range(script.lines - 2):
        last = in_time and turn == script.lines - 3
        answer = (
            (script.usual(site, "sign_in") if press else script.usual(site, "session"))
            if last
            else wrong_password()
        )
        script.send(
            site,
            target,
            answer,
            agent=agent,
            method="POST",
            referer=referer,
            attack=Attack.BRUTE_FORCE,
            outcome=Outcome.WORKED if last else Outcome.MISSED,
            stage=Stage.FOOTHOLD if last else Stage.EXPLOIT,
        )
        script.wait(script.seconds / script.lines)
    if in_time:
        inside = "/wp-admin/" if press else "/api/v1/users/me"
        for _ in range(2):
            script.send(
                site,
                inside,
                Answer(200, 71_000 if press else 1_240, 200_000),
                agent=agent,
                referer=referer,
                user="-",
            )
            script.wait(4)


def stuffing(script: Script) -> None:
    """Leaked pairs of name and password from many addresses, each tried a few times; few fit."""
    script.actor = "many"
    site = script.site("shop", "app")
    shop = site.name == "shop"
    target = "/account/login" if shop else "/api/v1/session"
    right, wrong = ("sign_in", "sign_in_wrong") if shop else ("session", "session_wrong")
    hosts = attackers_everywhere(script.rng, max(10, script.lines // 3))
    agents = [browsers()[int(n)][0] for n in script.rng.integers(0, 200, 5)]
    for _ in range(script.lines):
        fits = script.chance(0.012)
        script.send(
            site,
            target,
            script.usual(site, right if fits else wrong)
            if site.name in ("shop", "app")
            else script.missing(site),
            client=script.pick(hosts),
            agent=script.pick(agents),
            method="POST",
            attack=Attack.STUFFING,
            outcome=Outcome.WORKED if fits else Outcome.MISSED,
            stage=Stage.FOOTHOLD if fits else Stage.EXPLOIT,
        )
        script.wait(script.seconds / script.lines)


def wordpress(script: Script) -> None:
    """What every bot asks a WordPress, or a site that might be one."""
    script.actor = attacker(script.rng)
    site = script.site("blog", "shop", "docs")
    agent = script.pick((CHROME, payloads.SCANNERS[-1], *payloads.PLAIN_TOOLS[3:5]))
    there = {
        "/wp-login.php": 6_240,
        "/wp-json/wp/v2/users": 1_904,
        "/wp-includes/wlwmanifest.xml": 1_045,
        "/wp-cron.php": 0,
    }
    for path in script.deal(payloads.WORDPRESS, script.lines):
        known = site.name == "blog" and path in there
        answer, outcome = script.missing(site), Outcome.MISSED
        if known:
            answer = Answer(200, there[path], 90_000)
            outcome = Outcome.WORKED if path.endswith("users") else Outcome.UNKNOWN
        elif site.name == "blog" and path.startswith("/?author"):
            answer, outcome = Answer(301, 0, 60_000), Outcome.WORKED
        elif site.name == "blog" and path == "/xmlrpc.php":
            answer, outcome = Answer(405, 42, 40_000), Outcome.BLOCKED
        script.send(
            site,
            path,
            answer,
            agent=agent,
            attack=Attack.ENUMERATION if "author=" in path or path.endswith("users") else Attack.PROBE,
            outcome=outcome,
            stage=Stage.EXPLOIT if "../" in path else Stage.RECON,
        )
        script.wait(script.seconds / script.lines)


def fake_googlebot(script: Script) -> None:
    """A scraper under a search engine's name from a network that is not the engine's."""
    script.actor = attacker(script.rng)
    site = script.site("shop", "blog")
    pool = site.pages[2].pool
    for target in script.deal(site.pool(pool).targets[:4_000], script.lines):
        script.send(
            site,
            target,
            script.usual(site, pool),
            agent=GOOGLEBOT,
            attack=Attack.FAKE_BOT,
            outcome=Outcome.UNKNOWN,
            stage=Stage.RECON,
        )
        script.wait(script.seconds / script.lines)


def flood(script: Script) -> None:
    """Costly pages past every cache until the site answers 503; sometimes a limit holds with 429."""
    several = max(1, script.lines // 400)
    hosts = [attacker(script.rng) for _ in range(several)]
    script.actor = hosts[0] if several == 1 else "many"
    site = script.site("shop", "blog")
    limited = script.chance(0.4)
    page: Sequence[str] = ("/", "/search?q=a", "/?s=a")
    base = page[0] if site.name != "shop" else script.pick(page[:2])
    for turn in range(script.lines):
        late = turn > script.lines // 4
        answer, outcome = script.usual(site, site.pages[0].pool).later(turn / script.lines), Outcome.MISSED
        if late and limited:
            answer, outcome = Answer(429, 162, 300), Outcome.BLOCKED
        elif late and script.chance(0.7):
            answer, outcome = Answer(503, 190, 1_900_000), Outcome.WORKED
        script.send(
            site,
            f"{base}{'&' if '?' in base else '?'}{script.rng.integers(10**7, 10**10)}",
            answer,
            client=script.pick(hosts),
            attack=Attack.FLOOD,
            outcome=outcome,
        )
        script.wait(script.seconds / script.lines)


def odd_protocol(script: Script) -> None:
    """Bytes that are not HTTP, open-proxy tests, other services' greetings: the noise of the net."""
    script.actor = attacker(script.rng)
    for turn in range(script.lines):
        site = script.site()
        if turn % 3 == 0:
            host = script.pick(("example.com:443", "198.51.100.80:25", "check.example.org:443"))
            script.send(
                site,
                host,
                Answer(400, 150, 200),
                method="CONNECT",
                agent="-",
                attack=Attack.PROTOCOL,
                outcome=Outcome.BLOCKED,
                stage=Stage.RECON,
            )
        elif turn % 3 == 1:
            script.send(
                site,
                "http://check.example.org/ip.php",
                script.missing(site),
                agent="Go-http-client/1.1",
                attack=Attack.PROTOCOL,
                outcome=Outcome.MISSED,
                stage=Stage.RECON,
            )
        else:
            script.send(
                site,
                script.pick(payloads.BROKEN),
                Answer(400, 150, 100),
                method="",
                agent="-",
                attack=Attack.PROTOCOL,
                outcome=Outcome.BLOCKED,
                stage=Stage.RECON,
            )
        script.wait(script.seconds / script.lines)
