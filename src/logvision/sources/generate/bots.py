"""Machines that mean no harm: search engines, AI crawlers, monitors, feed readers, API and sync clients."""

# ruff: noqa: E501 (user agents are long)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from logvision.sources.generate import addresses
from logvision.sources.generate.agents import Weighted
from logvision.sources.generate.catalogue import Catalogue, Ints
from logvision.sources.generate.rows import PROTOCOLS, answers, empty, ordinary, texts

MOBILE = "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
KIT = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; "

CRAWLERS: tuple[tuple[str, str, float], ...] = (
    (f"{MOBILE}Chrome/154.0.7444.59 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "66.249.64.0/20", 24),
    (f"{KIT}Googlebot/2.1; +http://www.google.com/bot.html) Chrome/154.0.7444.59 Safari/537.36", "66.249.64.0/20", 6),
    ("Googlebot-Image/1.0", "66.249.64.0/20", 3),
    (f"{KIT}bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/140.0.0.0 Safari/537.36", "40.77.167.0/24", 9),
    (f"{KIT}bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/140.0.0.0 Safari/537.36", "157.55.39.0/24", 5),
    ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "5.255.231.0/24", 3),
    ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", "220.181.108.0/24", 2),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)", "17.241.75.0/24", 4),
    ("DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", "57.152.72.0/24", 1),
    (f"{KIT}GPTBot/1.3; +https://openai.com/gptbot)", "20.171.207.0/24", 9),
    (f"{KIT}OAI-SearchBot/1.3; +https://openai.com/searchbot)", "51.8.102.0/24", 3),
    (f"{KIT}ChatGPT-User/1.0; +https://openai.com/bot)", "23.98.142.176/28", 3),
    (f"{KIT}ClaudeBot/1.0; +claudebot@anthropic.com)", "216.73.216.0/24", 8),
    (f"{KIT}PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)", "18.97.9.96/29", 2),
    ("meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)", "57.141.0.0/24", 5),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "173.252.95.0/24", 2),
    (f"{KIT}Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot) Chrome/119.0.6045.214 Safari/537.36", "52.70.240.0/24", 4),
    ("Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)", "47.128.16.0/20", 3),
    ("CCBot/2.0 (https://commoncrawl.org/faq/)", "18.97.14.80/29", 2),
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "54.36.148.0/23", 5),
    ("Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", "185.191.171.0/24", 4),
    ("Mozilla/5.0 (compatible;PetalBot;+https://webmaster.petalsearch.com/site/petalbot)", "114.119.136.0/22", 2),
)  # fmt: skip
"""Agent, a network that its operator publishes, weight. They keep to pages and read robots.txt."""

FEEDS: Weighted = [
    ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 214 subscribers; like FeedFetcher-Google)", 3),
    ("NetNewsWire (RSS Reader; https://netnewswire.com/)", 3),
    ("FreshRSS/1.27.1 (Linux; https://freshrss.org)", 2),
    ("Tiny Tiny RSS/25.09 (https://tt-rss.org/)", 1),
    ("Miniflux/2.2.13 (https://miniflux.app)", 2),
    ("Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 31 subscribers; )", 2),
]
MONITORS: Weighted = [
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", 4),
    ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", 2),
    ("Blackbox Exporter/0.27.0", 2),
    ("kube-probe/1.33", 2),
]
API_CLIENTS: Weighted = [
    ("okhttp/5.1.0", 5),
    ("TasksApp/7.14.2 (iPhone; iOS 26.4; Scale/3.00)", 5),
    ("TasksApp/7.14.0 (Android 16; Pixel 9)", 4),
    ("python-requests/2.32.5", 2),
    ("python-httpx/0.28.1", 1),
    ("Go-http-client/2.0", 2),
    ("axios/1.12.2", 1),
    ("curl/8.16.0", 1),
    ("PostmanRuntime/7.49.0", 0.3),
    ("Dart/3.10 (dart:io)", 1),
]
SYNC_CLIENTS: Weighted = [
    ("Mozilla/5.0 (Windows) mirall/3.17.2 (build 20250924) (Nextcloud)", 3),
    ("Mozilla/5.0 (Android) Nextcloud-android/3.33.0", 2),
    ("DAVx5/4.5.4-ose (dav4jvm; okhttp/5.1.0) Android/16", 2),
    ("rclone/v1.71.1", 1),
]


CRAWL_SHARE = 0.1
HOSTS_EACH = 24
ROBOT_FILES = ("/robots.txt", "/sitemap.xml")


@dataclass(frozen=True, slots=True)
class Regulars:
    """Clients that come again every `every` µs, each at its own moment and with its own agent."""

    pools: Ints  # where they go, one after the other
    clients: pl.Series
    agents: pl.Series
    phase: Ints
    every: int
    user: pl.Series
    warm: float  # share of answers that are 304 where the pool can be
    burst: int  # requests in a row at each visit
    method: str = ""  # instead of the pool's


@dataclass(frozen=True, slots=True)
class Robots:
    """Every machine of a run."""

    catalogue: Catalogue
    per_second: float  # lines of crawlers
    crawled: Ints
    crawlers: pl.Series
    crawler_until: np.ndarray[tuple[int], np.dtype[np.float64]]
    crawler_hosts: pl.Series  # HOSTS_EACH in a row for each crawler
    regulars: tuple[Regulars, ...]

    @staticmethod
    def draw(rng: np.random.Generator, catalogue: Catalogue, per_second: float) -> Robots:
        """Machines for a run of so many lines a second."""
        pages = [
            number
            for (_, name), number in catalogue.number.items()
            if name in ("home", "category", "product", "post", "tag", "wiki", "guide", "source", "album", "photo", "watch", "gone", "shell", "diff")
        ]  # fmt: skip
        hosts = [host for _, network, _ in CRAWLERS for host in addresses.inside(rng, network, HOSTS_EACH)]
        sums = np.cumsum([weight for _, _, weight in CRAWLERS])
        return Robots(
            catalogue=catalogue,
            per_second=per_second * CRAWL_SHARE,
            crawled=np.array(pages, np.int64),
            crawlers=pl.Series([agent for agent, _, _ in CRAWLERS]),
            crawler_until=sums / sums[-1],
            crawler_hosts=pl.Series(hosts),
            regulars=tuple(_regulars(rng, catalogue, per_second)),
        )

    def requests(self, rng: np.random.Generator, begin: int, end: int) -> pl.DataFrame:
        """Rows in [begin, end) µs, in no order; by night as many as by day."""
        found = [self._crawl(rng, begin, end)]
        found += [_visits(rng, self.catalogue, group, begin, end) for group in self.regulars]
        return pl.concat(found)

    def _crawl(self, rng: np.random.Generator, begin: int, end: int) -> pl.DataFrame:
        count = int(rng.poisson(self.per_second * (end - begin) / 1_000_000))
        if not count:
            return empty()
        cat = self.catalogue
        who = np.searchsorted(self.crawler_until, rng.random(count))
        host = who * HOSTS_EACH + (rng.random(count) ** 2 * HOSTS_EACH).astype(np.int64)
        # A site's many pages are crawled more than its few, though not in proportion.
        until = np.cumsum(np.sqrt(cat.count[self.crawled]))
        pool = self.crawled[np.searchsorted(until / until[-1], rng.random(count))]
        # Crawlers go through everything, not through what is popular.
        code = cat.first[pool] + (rng.random(count) * cat.count[pool]).astype(np.int64)
        times = begin + (rng.random(count) * (end - begin)).astype(np.int64)
        status, size, took = answers(rng, cat, pool, code, np.zeros(count, np.bool_))
        robots = rng.random(count) < 0.03
        nothing = pl.Series(["-"]).gather(np.zeros(count, np.int64))
        every = pl.concat([cat.targets, pl.Series(ROBOT_FILES)])
        place = np.where(robots, cat.targets.len() + rng.integers(0, len(ROBOT_FILES), count), code)
        return ordinary(
            {
                "time": times,
                "host": cat.hosts.gather(cat.site[pool]),
                "client": self.crawler_hosts.gather(host),
                "method": cat.methods.gather(np.zeros(count, np.int64)),
                "target": every.gather(place),
                "protocol": PROTOCOLS.gather(np.where(who % 3 == 0, 0, 1)),
                "status": np.where(robots, 200, status),
                "bytes": np.where(robots, 286, size),
                "referer": nothing,
                "user_agent": self.crawlers.gather(who),
                "duration_us": took,
            }
        )


def _regulars(rng: np.random.Generator, catalogue: Catalogue, per_second: float) -> list[Regulars]:
    def group(
        pools: list[tuple[str, str]],
        table: Weighted,
        seconds: float,
        share: float,
        warm: float = 0.0,
        burst: int = 1,
        user: tuple[str, ...] = ("-",),
        method: str = "",
    ) -> list[Regulars]:
        numbers = [catalogue.number[name] for name in pools if name in catalogue.number]
        if not numbers:
            return []
        count = round(per_second * share * seconds / burst)
        if not count:  # so little traffic that one client comes less often
            count, seconds = 1, burst / (per_second * share)
        until = np.cumsum([weight for _, weight in table]) / sum(weight for _, weight in table)
        agent = np.searchsorted(until, rng.random(count))
        return [
            Regulars(
                pools=np.array(numbers, np.int64),
                clients=addresses.clients(rng, count),
                agents=pl.Series([text for text, _ in table]).gather(agent),
                phase=(rng.random(count) * seconds * 1_000_000).astype(np.int64),
                every=round(seconds * 1_000_000),
                user=pl.Series(user).gather(rng.integers(0, len(user), count)),
                warm=warm,
                burst=burst,
                method=method,
            )
        ]

    return [
        *group([("blog", "feed")], FEEDS, 900, 0.008, warm=0.85),
        *group(
            [("shop", "home"), ("blog", "home"), ("docs", "home"), ("media", "home")],
            MONITORS,
            60,
            0.006,
            method="HEAD",
        ),
        *group([("app", "shell")], MONITORS, 30, 0.004),
        # A phone app that polls, a dashboard that refreshes, a script that walks a report, people who look things up.
        *group([("app", "me"), ("app", "tasks")], API_CLIENTS, 30, 0.05, burst=2),
        *group([("app", "report")], API_CLIENTS, 300, 0.01, burst=6),
        *group([("docs", "ask")], API_CLIENTS, 7200, 0.006, burst=2),
        # File synchronisation: a folder listing, then what changed, many at once.
        *group(
            [("docs", "dav")], SYNC_CLIENTS, 30, 0.008, method="PROPFIND", user=("anna", "li.wei", "marek")
        ),
        *group(
            [("docs", "dav")],
            SYNC_CLIENTS,
            1800,
            0.008,
            burst=40,
            method="PUT",
            user=("anna", "li.wei", "marek"),
        ),
    ]


def _visits(
    rng: np.random.Generator, catalogue: Catalogue, group: Regulars, begin: int, end: int
) -> pl.DataFrame:
    first = -(-(begin - group.phase) // group.every)
    beyond = -(-(end - group.phase) // group.every)
    many = beyond - first
    client = np.repeat(np.arange(many.size), many)
    if not client.size:
        return empty()
    nth = np.arange(client.size) - np.repeat(np.cumsum(many) - many, many)
    at = group.phase[client] + (np.repeat(first, many) + nth) * group.every
    client, at = np.repeat(client, group.burst), np.repeat(at, group.burst)
    step = np.tile(np.arange(group.burst), at.size // group.burst)
    # A visit that begins in this chunk belongs to it whole; its last requests are held to its end.
    at = np.minimum(at + step * 70_000 + rng.integers(0, 50_000, at.size), end - 1)
    pool = group.pools[(step + client) % group.pools.size]
    code = catalogue.pick(rng, pool)
    status, size, took = answers(rng, catalogue, pool, code, rng.random(at.size) < group.warm)
    nothing = pl.Series(["-"]).gather(np.zeros(at.size, np.int64))
    method = catalogue.methods.gather(catalogue.method[pool])
    if group.method:
        method = pl.Series([group.method]).gather(np.zeros(at.size, np.int64))
    if group.method == "HEAD":
        size = np.zeros_like(size)
    if group.method in ("PROPFIND", "PUT"):
        status = np.where(status == 200, 207 if group.method == "PROPFIND" else 204, status)
    return ordinary(
        {
            "time": at,
            "host": catalogue.hosts.gather(catalogue.site[pool]),
            "client": group.clients.gather(client),
            "user": group.user.gather(client),
            "method": method,
            "target": texts(rng, catalogue, pool, code, at, nothing),
            "protocol": PROTOCOLS.gather(1 - client % 2),
            "status": status,
            "bytes": size,
            "referer": nothing,
            "user_agent": group.agents.gather(client),
            "duration_us": took,
        }
    )
