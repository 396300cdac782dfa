"""The virtual sites: what can be asked of them, where visitors go next, how they answer.

A pool is a set of targets that are answered alike; a page is a pool that people walk to; a part is
a pool that a page draws with it (assets, images, background calls). Everything here is drawn once
per run; `catalogue.py` turns it into arrays.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import quote, quote_plus

import numpy as np

from logvision.sources.generate.phrases import (
    CODE_SEARCHES,
    LOOKS,
    PROSE_SEARCHES,
    SHOP_SEARCHES,
    SLUGS,
    THINGS,
    TOPICS,
    VERBS,
)


class Fresh(IntEnum):
    """What is put behind a target so that nearly every request of it is new."""

    NONE = 0
    STAMP = 1  # milliseconds of now
    TOKEN = 2  # cursor, 22 hex digits
    CLICK = 3  # advertising click and campaign parameters
    SIGNED = 4  # expiry and signature
    JWT = 5  # a token of three base64url parts
    BEACON = 6  # analytics: page address, title and screen, encoded
    NUMBER = 7  # a row id in the path


@dataclass(frozen=True, slots=True)
class Pool:
    """Targets that are answered alike. `size` is the middle of their sizes in B, `ms` of their durations."""

    name: str
    targets: Sequence[str]
    size: int
    ms: float
    method: str = "GET"
    status: int = 200
    cached: bool = False  # a browser that has it asks with a validator and gets 304, or asks not at all
    steady: bool = False  # the answer has the same size every time
    fresh: Fresh = Fresh.NONE
    fresh_share: float = 1.0
    skew: float = 2.4  # 1: every target equally popular; larger: few targets take most


@dataclass(frozen=True, slots=True)
class Part:
    """What a page view draws: `count` requests on average, `again` of them on later pages of a session.

    `bound`: the targets are those that belong to this page's own instance, not any of the pool.
    """

    pool: str
    count: float
    again: float = 1.0
    bound: bool = False
    within_ms: float = 900.0


@dataclass(frozen=True, slots=True)
class Page:
    """A pool that people walk to, by `enter` weight or from a page before."""

    pool: str
    enter: float
    then: dict[str, float]
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """How a site answers what it does not have; the size varies by up to `swing` B."""

    status: int
    size: int
    swing: int
    ms: float


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    host: str
    share: float  # of human sessions
    missing: Missing
    pools: tuple[Pool, ...]
    pages: tuple[Page, ...]

    def pool(self, name: str) -> Pool:
        """The pool of that name; KeyError when the site has none."""
        for pool in self.pools:
            if pool.name == name:
                return pool
        raise KeyError(name)


SITE_NAMES = ("shop", "blog", "app", "docs", "media")


def build(seed: int, names: Sequence[str] = SITE_NAMES) -> tuple[Site, ...]:
    """The sites of a run; the same for the same seed, whichever others are asked for."""
    makers = {"shop": _shop, "blog": _blog, "app": _app, "docs": _docs, "media": _media}
    return tuple(makers[name](np.random.default_rng([seed, 7, SITE_NAMES.index(name)])) for name in names)


def _many(rng: np.random.Generator, count: int, *choices: Sequence[str]) -> list[tuple[str, ...]]:
    picks = [rng.integers(0, len(choice), count) for choice in choices]
    return [
        tuple(choice[n] for choice, n in zip(choices, row, strict=True)) for row in zip(*picks, strict=True)
    ]


def _hexes(rng: np.random.Generator, count: int, digits: int = 8) -> list[str]:
    text = rng.bytes(count * digits).hex()
    return [text[n * digits : (n + 1) * digits] for n in range(count)]


def _searches(rng: np.random.Generator, hard: Sequence[str], count: int, plus: bool = True) -> list[str]:
    """Encoded search words: two thirds plain, a third of the hard ones, many joined with a plain word."""
    encode = quote_plus if plus else lambda text: quote(text, safe="")
    found = [encode(text) for text in hard]
    for look, thing, topic in _many(rng, count, LOOKS, THINGS, TOPICS):
        kind = int(rng.integers(0, 9))
        odd = hard[int(rng.integers(len(hard)))]
        found.append(
            encode(
                f"{odd} {topic}"
                if kind < 2
                else odd
                if kind == 2
                else f"{look} {thing}"
                if kind < 6
                else f"{topic} {thing}"
            )
        )
    return found


def _prefixes(words: Sequence[str]) -> list[str]:
    return [quote_plus(word[:stop]) for word in words for stop in range(2, min(len(word), 14))]


def _shop(rng: np.random.Generator) -> Site:
    products = [
        f"/product/{look}-{thing}-{number}"
        for number, (look, thing) in enumerate(_many(rng, 20_000, LOOKS, THINGS), 10_000)
    ]
    sorts = ("price_asc", "price_desc", "new", "rating:desc,price:asc")
    filters = (
        "",
        "&color=red,blue",
        "&price=10-50",
        "&brand=O%27Neill",
        "&size%5B%5D=XL&size%5B%5D=XXL",
        "&in_stock=1",
    )
    categories = [
        f"/c/{thing}" + ("" if page == 1 and not more else f"?page={page}&sort={sort}{more}")
        for (thing, sort, more), page in zip(
            _many(rng, 6_000, THINGS, sorts, filters), rng.geometric(0.4, 6_000), strict=True
        )
    ]
    words = _searches(rng, SHOP_SEARCHES, 6_000)
    images = [
        f"/media/catalog/{digest[:2]}/{digest}-{size}.webp"
        for digest, size in zip(_hexes(rng, 40_000), rng.choice([160, 320, 640, 1200], 40_000), strict=True)
    ]
    assets = [
        "/assets/app-3f2a91c4.js", "/assets/vendor-b81de2.js", "/assets/app-77c0e1.css", "/assets/fonts/inter-var.woff2",
        "/assets/css/../img/sprite.svg", "/assets/img/logo.svg", "/favicon.ico", "/assets/js/cart-9d2c.js",
        "/assets/js/select.min.js", "/manifest.webmanifest", "/assets/img/../img/hero.avif",
    ]  # fmt: skip
    back = quote("https://shop.example.com/cart?step=2&coupon=A'B", safe="")
    buy = (Part("asset", 9, 0.05), Part("image", 5, 0.9, bound=True), Part("beacon", 1))
    return Site(
        "shop",
        "shop.example.com",
        0.32,
        Missing(404, 5312, 24, 38),
        (
            Pool(
                "home",
                ["/", "/?lang=de", "/?lang=fr", "/?currency=EUR"],
                38_400,
                60,
                fresh=Fresh.CLICK,
                fresh_share=0.3,
            ),
            Pool("category", categories, 61_000, 95, fresh=Fresh.CLICK, fresh_share=0.08, skew=2.0),
            Pool("product", products, 44_500, 80, fresh=Fresh.CLICK, fresh_share=0.22, skew=1.9),
            Pool("search", [f"/search?q={word}" for word in words], 35_000, 140, skew=1.5),
            Pool("old", [f"/item.php?id={n}" for n in range(1, 900)], 178, 4, status=301, steady=True),
            Pool("gone", [f"/product/discontinued-{n}" for n in range(400)], 5312, 38, status=404),
            Pool("cart", ["/cart", "/cart?step=2"], 18_200, 55),
            Pool("add", ["/cart/add"], 412, 45, method="POST"),
            Pool("login", ["/account/login", f"/account/login?return={back}"], 9_100, 40),
            Pool("sign_in", ["/account/login"], 154, 310, method="POST", status=302, steady=True),
            Pool("sign_in_wrong", ["/account/login"], 9_320, 305, method="POST", status=200),
            Pool("account", ["/account", "/account/orders"], 14_800, 70),
            Pool("asset", assets, 42_000, 1.2, cached=True, steady=True, skew=1.0),
            Pool("image", images, 23_000, 1.6, cached=True, steady=True, skew=1.0),
            Pool(
                "suggest",
                [f"/api/suggest?q={p}" for p in _prefixes(SHOP_SEARCHES + THINGS)],
                640,
                22,
                skew=1.0,
            ),
            Pool("recommend", [f"/api/recommend?product={n}" for n in range(10_000, 30_000)], 2_900, 35),
            Pool(
                "beacon",
                ["/collect?v=2&tid=G-7Q2XK1&en=page_view"],
                0,
                1.5,
                method="POST",
                status=204,
                fresh=Fresh.BEACON,
            ),
        ),
        (
            Page(
                "home",
                3.5,
                {"category": 5, "search": 3, "product": 2, "login": 0.6},
                (Part("asset", 11, 0.1), Part("image", 9, 0.6), Part("beacon", 1)),
            ),
            Page(
                "category",
                2.5,
                {"product": 6, "category": 3, "search": 1},
                (Part("asset", 9, 0.05), Part("image", 8, 0.9, bound=True), Part("beacon", 1)),
            ),
            Page(
                "product",
                5,
                {"product": 4, "category": 2, "add": 1.2, "search": 1, "home": 0.4},
                (*buy, Part("recommend", 0.8, bound=True)),
            ),
            Page(
                "search",
                0.6,
                {"product": 6, "search": 3, "category": 1},
                (Part("asset", 8, 0.05), Part("suggest", 2.5, within_ms=-2500), Part("image", 6, 0.8)),
            ),
            Page("old", 0.25, {"product": 1}),
            Page("gone", 0.12, {"home": 1, "search": 1}, (Part("asset", 6, 0.05),)),
            Page("add", 0, {"cart": 3, "product": 2}),
            Page(
                "cart", 0.05, {"login": 1.5, "product": 2, "home": 1}, (Part("image", 2), Part("beacon", 1))
            ),
            Page("login", 0.15, {"sign_in": 5, "sign_in_wrong": 1}, (Part("asset", 6, 0.05),)),
            Page("sign_in_wrong", 0, {"sign_in": 4, "sign_in_wrong": 0.5, "home": 1}),
            Page("sign_in", 0, {"account": 1}),
            Page("account", 0.2, {"home": 2, "product": 2, "category": 1}, (Part("asset", 7, 0.05),)),
        ),
    )


def _blog(rng: np.random.Generator) -> Site:
    slugs = [
        *SLUGS,
        *(f"{verb}-{topic}-{thing}" for verb, topic, thing in _many(rng, 4_000, VERBS, TOPICS, THINGS)),
    ]
    months = rng.integers(0, 59, len(slugs))
    posts = [f"/{2022 + m // 12}/{m % 12 + 1:02d}/{slug}/" for slug, m in zip(slugs, months, strict=True)]
    tags = [f"/tag/{topic}/" for topic in TOPICS] + [
        f"/category/{t}/page/{n}/" for t in TOPICS for n in range(2, 9)
    ]
    tags += [f"/tag/{quote(word)}/" for word in ("кофе", "旅行", "日本語", "été", "größe", "الصحة", "한국")]
    photos = [
        f"/wp-content/uploads/{2022 + m // 12}/{m % 12 + 1:02d}/{a}-{b}-{size}.jpg"
        for (a, b, size), m in zip(
            _many(rng, 12_000, TOPICS, THINGS, ("1024x683", "768x512", "300x200", "scaled")),
            rng.integers(0, 59, 12_000),
            strict=True,
        )
    ]
    assets = [
        "/wp-includes/js/jquery/jquery.min.js?ver=3.7.1", "/wp-includes/css/dist/block-library/style.min.css?ver=6.9.1",
        "/wp-content/themes/paper/style.css?ver=2.4", "/wp-content/themes/paper/css/../fonts/serif.woff2",
        "/wp-content/plugins/contact-form-7/includes/js/index.js?ver=6.1.2", "/favicon.ico",
        "/wp-includes/js/wp-emoji-release.min.js?ver=6.9.1", "/wp-content/themes/paper/js/menu.js?ver=2.4",
    ]  # fmt: skip
    edits = [f"/wp-admin/post.php?post={n}&action=edit" for n in range(300, 4_300)]
    return Site(
        "blog",
        "blog.example.org",
        0.2,
        Missing(404, 21_840, 160, 140),
        (
            Pool("home", ["/", *(f"/page/{n}/" for n in range(2, 40))], 52_000, 120, skew=3.0, fresh=Fresh.CLICK, fresh_share=0.06),
            Pool("post", posts, 68_000, 150, fresh=Fresh.CLICK, fresh_share=0.18, skew=1.8),
            Pool("tag", tags, 41_000, 130),
            Pool("search", [f"/?s={word}" for word in _searches(rng, PROSE_SEARCHES, 3_000)], 38_000, 210, skew=1.3),
            Pool("gone", [f"/2019/{n % 12 + 1:02d}/{slug}/" for n, slug in enumerate(slugs[:300])], 21_840, 140, status=404),
            Pool("comment", ["/wp-comments-post.php"], 0, 240, method="POST", status=302, steady=True),
            Pool("login", ["/wp-login.php"], 6_240, 90, steady=True),
            Pool("sign_in", ["/wp-login.php"], 0, 420, method="POST", status=302, steady=True),
            Pool("edit", edits, 142_000, 380, skew=1.2),
            Pool("save", edits, 0, 350, method="POST", status=302, skew=1.2),
            Pool("heartbeat", ["/wp-admin/admin-ajax.php"], 58, 60, method="POST"),
            Pool("feed", ["/feed/", "/comments/feed/"], 48_000, 110, cached=True),
            Pool("asset", assets, 31_000, 1.5, cached=True, steady=True, skew=1.0),
            Pool("photo", photos, 96_000, 2.5, cached=True, steady=True, skew=1.0),
            Pool("oembed", [f"/wp-json/oembed/1.0/embed?url={quote('https://blog.example.org' + p, safe='')}" for p in posts[:900]], 1_900, 90),
        ),
        (
            Page("home", 3, {"post": 8, "tag": 1.5, "search": 0.8, "home": 1, "login": 0.12}, (Part("asset", 8, 0.06), Part("photo", 6, 0.7))),
            Page("post", 7, {"post": 4, "home": 1.6, "tag": 1, "comment": 0.12, "search": 0.3}, (Part("asset", 8, 0.06), Part("photo", 4, 0.9, bound=True), Part("oembed", 0.08))),
            Page("tag", 0.6, {"post": 6, "tag": 2}, (Part("asset", 8, 0.05), Part("photo", 5, 0.7))),
            Page("search", 0.2, {"post": 5, "search": 2}, (Part("asset", 7, 0.05), Part("photo", 3, 0.7))),
            Page("gone", 0.15, {"home": 2, "search": 1}, (Part("asset", 7, 0.05),)),
            Page("comment", 0, {"post": 1}),
            Page("login", 0.08, {"sign_in": 1}, (Part("asset", 5, 0.05),)),
            Page("sign_in", 0, {"edit": 1}),
            Page("edit", 0, {"save": 4, "edit": 1}, (Part("asset", 7, 0.1), Part("heartbeat", 4, within_ms=60_000))),
            Page("save", 0, {"edit": 3, "post": 1}),
        ),
    )  # fmt: skip


def _app(rng: np.random.Generator) -> Site:
    ids = [str(n) for n in range(1_000, 5_000)]
    words = _searches(rng, PROSE_SEARCHES, 1_500, plus=False)
    views = [f"/projects/{n}/board" for n in ids] + [
        f"/projects/{n}/issues/{m}" for n, m in _many(rng, 6_000, ids, ids)
    ]
    tasks = [
        f"/api/v1/projects/{n}/tasks?{more}"
        for n, more in _many(
            rng,
            12_000,
            ids,
            (
                "status=open&sort=-updated_at&limit=50", "assignee=me", "filter%5Bdue%5D%5Blt%5D=2026-12-01&include=labels,author",
                "fields=id,title,(labels(name))", "q=title%3A%22or%20else%22%20OR%20label%3Abug",
            ),
        )
    ]  # fmt: skip
    odata = [
        f"/odata/Orders?$filter=CustomerName%20eq%20%27{name}%27%20and%20Total%20gt%20{total}&$orderby=Date%20desc&$top={top}"
        for name, total, top in _many(
            rng, 900, ("O%27%27Brien", "Smith", "D%27%27Arcy", "M%C3%BCller"), ids[:40], ("10", "50")
        )
    ]
    graph = [
        "/graphql?query="
        + quote(
            f"query {{ project(id: {n}) {{ title tasks(first: {top}) {{ nodes {{ id name }} }} }} }}", safe=""
        )
        for n, top in _many(rng, 600, ids, ("5", "20"))
    ]
    metric = [
        "/api/v1/query_range?query="
        + quote(f'sum(rate(http_requests_total{{project="{n}",code=~"5.."}}[5m])) by (path) > {top}', safe="")
        for n, top in _many(rng, 400, ids[:200], ("0", "1", "10"))
    ]
    assets = [
        "/assets/index-DkX91cVq.js", "/assets/index-B7f2Lw3p.css", "/assets/board-CmP0a1xQ.js", "/assets/editor-Dq8sNf2z.js",
        "/assets/inter-latin-wght-normal-Dx4kXJAl.woff2", "/vite.svg", "/favicon.ico",
    ]  # fmt: skip
    state = (
        base64.urlsafe_b64encode(b'{"redirect":"/projects/1200/board?tab=open","n":"it\'s"}')
        .decode()
        .rstrip("=")
    )
    board = (
        Part("asset", 6, 0.02),
        Part("me", 0.6),
        Part("tasks", 3.5),
        Part("graph", 0.5),
        Part("socket", 0.3),
        Part("avatar", 2, 0.5),
    )
    return Site(
        "app",
        "app.example.net",
        0.18,
        Missing(200, 2_481, 0, 1.1),
        (
            Pool("shell", ["/", "/dashboard", "/settings/profile", "/login"], 2_481, 1.1, steady=True),
            Pool("view", views, 2_481, 1.1, steady=True, skew=1.6),
            Pool("callback", [f"/auth/callback?state={state}"], 0, 60, status=302, steady=True, fresh=Fresh.TOKEN),
            Pool("session", ["/api/v1/session"], 812, 280, method="POST", status=201),
            Pool("session_wrong", ["/api/v1/session"], 67, 275, method="POST", status=401, steady=True),
            Pool("me", ["/api/v1/users/me", "/api/v1/notifications?unread=true"], 1_240, 14),
            Pool("tasks", tasks, 9_800, 42, skew=1.5),
            Pool("task", ["/api/v1/tasks"], 940, 38, fresh=Fresh.NUMBER),
            Pool("change", ["/api/v1/tasks"], 930, 65, method="PATCH", fresh=Fresh.NUMBER),
            Pool("remove", ["/api/v1/tasks"], 0, 48, method="DELETE", status=204, fresh=Fresh.NUMBER),
            Pool("search", [f"/api/v1/search?q={word}&scope=all" for word in words], 4_200, 85, skew=1.3),
            Pool("report", odata + metric, 15_800, 180, skew=1.2),
            Pool("preview", [f"/api/v1/preview?url={quote(f'https://{t}.example.org/{v}?id={n}&ref=a/b', safe='')}" for t, v, n in _many(rng, 800, TOPICS, VERBS, ids)], 1_350, 420, skew=1.2),
            Pool("graph", ["/graphql"], 3_300, 45, method="POST"),
            Pool("graph_get", graph, 3_100, 40, skew=1.2),
            Pool("socket", ["/ws"], 182, 30_000, status=101, fresh=Fresh.JWT),
            Pool("preflight", ["/api/v1/tasks", "/graphql"], 0, 0.8, method="OPTIONS", status=204, steady=True),
            Pool("asset", assets, 78_000, 1.2, cached=True, steady=True, skew=1.0),
            Pool("avatar", [f"/avatars/{h}.png?s=64&d=https%3A%2F%2Fapp.example.net%2Fblank.png" for h in _hexes(rng, 3_000, 32)], 4_100, 3, cached=True, steady=True, skew=1.2),
        ),
        (
            Page("shell", 6, {"view": 6, "session": 1, "session_wrong": 0.15, "search": 0.7, "report": 0.5}, board),
            Page("callback", 0.6, {"shell": 1}),
            Page("session_wrong", 0, {"session": 1}),
            Page("session", 0, {"view": 1}),
            Page("view", 3, {"view": 5, "task": 6, "search": 1, "report": 0.6}, board),
            Page("task", 0, {"change": 4, "view": 3, "task": 3, "remove": 0.2}, (Part("preflight", 0.05), Part("preview", 0.12))),
            Page("change", 0, {"task": 4, "change": 3, "view": 2}),
            Page("remove", 0, {"view": 1}),
            Page("search", 0, {"task": 4, "search": 3, "view": 1}),
            Page("report", 0.1, {"report": 3, "view": 1}, (Part("graph_get", 0.6),)),
        ),
    )  # fmt: skip


def _docs(rng: np.random.Generator) -> Site:
    named = (
        "SQL_injection", "Cross-site_scripting", "Directory_traversal_attack", "Null_(SQL)", "Union_(set_theory)", "Passwd", "O%27Reilly_Media",
        "C%2B%2B", "Schr%C3%B6dinger%27s_cat", "%E6%95%B0%E6%8D%AE%E5%BA%93", "%D0%9A%D0%BE%D1%84%D0%B5", ".htaccess", "AC/DC", "Who%3F", "Wget", "100%25",
    )  # fmt: skip
    wiki = [f"/wiki/{name}" for name in named] + [
        f"/wiki/{topic.title()}_{thing.title()}_({look})"
        for topic, thing, look in _many(rng, 5_000, TOPICS, THINGS, LOOKS)
    ]
    guides = [f"/docs/{t}/{v}.html" for t in TOPICS for v in VERBS] + [
        "/docs/sql/select-union.html", "/docs/sql/insert-into.html", "/docs/php/eval.html", "/docs/shell/exec.html",
        "/docs/admin/index.html", "/docs/config/env.html", "/docs/js/alert.html", "/docs/git/config.html", "/docs/css/../img/x.html",
    ]  # fmt: skip
    source = [
        f"/src/{project}/blob/main/{folder}/{name}?plain=1"
        for project, folder, name in _many(
            rng,
            2_500,
            THINGS,
            ("src", "src/db", "config", "etc", "tests/data", ".github/workflows"),
            (
                "passwd.c",
                "login.php",
                "shell.py",
                "select.sql",
                "env.example",
                "wp-config-sample.php",
                "main.rs",
                "index.html",
            ),
        )
    ]
    diffs = [
        f"/w/index.php?title={topic.title()}&diff={new}&oldid={old}"
        for (topic,), new, old in zip(
            _many(rng, 6_000, TOPICS),
            rng.integers(1_100_000, 1_200_000, 6_000),
            rng.integers(1_000_000, 1_100_000, 6_000),
            strict=True,
        )
    ]
    asks = [
        f"/w/api.php?action=query&format=json&list=search&srsearch={w}&utf8="
        for w in _searches(rng, CODE_SEARCHES, 700)
    ]
    assets = [
        "/load.php?lang=en&modules=site.styles&only=styles&skin=vector", "/static/docs.4c1b.css", "/static/docs.91aa.js", "/favicon.ico",
        "/load.php?lang=en&modules=startup&only=scripts&raw=1&skin=vector", "/static/fonts/mono.woff2",
    ]  # fmt: skip
    part = (Part("asset", 6, 0.04), Part("figure", 1.2, 0.9))
    return Site(
        "docs",
        "docs.example.com",
        0.17,
        Missing(404, 153, 0, 0.6),
        (
            Pool("home", ["/", "/wiki/Main_Page"], 31_000, 45),
            Pool("wiki", wiki, 58_000, 85, skew=1.7),
            Pool("guide", guides, 24_500, 6, skew=1.6, steady=True),
            Pool("source", source, 37_000, 120, skew=1.3),
            Pool("code", [f"/search?type=code&q={w}" for w in _searches(rng, CODE_SEARCHES, 3_000)], 26_000, 190, skew=1.2),
            Pool("diff", diffs, 29_000, 240, skew=1.0),
            Pool("gone", [f"/docs/v1/{t}.html" for t in TOPICS], 153, 0.6, status=404, steady=True),
            Pool("download", [f"/download?file=manuals%2F{a}-{b}.pdf" for a, b in _many(rng, 300, LOOKS, THINGS)], 240_000, 9, skew=1.4, steady=True),
            Pool("ask", asks, 5_400, 110, skew=1.0),
            Pool("suggest", [f"/w/rest.php/v1/search/title?q={p}&limit=10" for p in _prefixes([*THINGS, *CODE_SEARCHES])], 2_100, 35, skew=1.0),
            Pool("asset", assets, 36_000, 2, cached=True, steady=True, skew=1.0),
            Pool("figure", [f"/images/thumb/{h[0]}/{h[:2]}/{h}.svg/330px-{h}.svg.png" for h in _hexes(rng, 6_000)], 18_000, 2, cached=True, steady=True, skew=1.4),
            Pool("dav", [f"/remote.php/dav/files/{quote(u)}/{t.title()}/{n}.md" for u, t, n in _many(rng, 3_000, ("anna", "o'brien", "li wei"), TOPICS, THINGS)], 1_150, 60),
        ),
        (
            Page("home", 1.5, {"wiki": 5, "guide": 3, "code": 1}, part),
            Page("wiki", 6, {"wiki": 7, "diff": 0.5, "home": 0.5, "code": 0.5}, (*part, Part("suggest", 0.5, within_ms=-2500))),
            Page("guide", 4, {"guide": 6, "code": 1.4, "source": 1, "wiki": 1, "download": 0.4}, part),
            Page("download", 0.15, {"guide": 1}),
            Page("source", 0.7, {"source": 4, "code": 2}, (Part("asset", 5, 0.04),)),
            Page("code", 0.6, {"source": 5, "code": 4, "guide": 1}, (Part("asset", 5, 0.04), Part("suggest", 2, within_ms=-2500), Part("ask", 0.3))),
            Page("diff", 0.1, {"diff": 2, "wiki": 2}, part),
            Page("gone", 0.2, {"guide": 2, "home": 1}, (Part("asset", 4, 0.04),)),
        ),
    )  # fmt: skip


def _media(rng: np.random.Generator) -> Site:
    albums = [f"/album/{h}" for h in _hexes(rng, 3_000)]
    shots = _hexes(rng, 60_000, 12)
    videos = _hexes(rng, 1_500, 10)
    segments = [f"/v/{v}/seg-{n:04d}.m4s" for v in videos for n in range(1, 25)]
    assets = [
        "/build/gallery.6f1e.js",
        "/build/gallery.b013.css",
        "/build/player.22d9.js",
        "/favicon.ico",
        "/img/logo.svg",
    ]
    return Site(
        "media",
        "media.example.net",
        0.13,
        Missing(404, 548, 0, 0.5),
        (
            Pool("home", ["/", "/explore", "/explore?tab=popular"], 16_000, 35),
            Pool("album", albums, 21_000, 60, skew=1.8),
            Pool("photo", [f"/p/{s}" for s in shots], 12_500, 45, skew=1.6),
            Pool("watch", [f"/watch/{v}" for v in videos], 15_400, 50, skew=2.2),
            Pool("gone", [f"/p/deleted-{n}" for n in range(200)], 548, 0.5, status=404, steady=True),
            Pool("asset", assets, 64_000, 1.5, cached=True, steady=True, skew=1.0),
            Pool("thumb", [f"/t/{s}/320.avif" for s in shots], 14_000, 1.4, cached=True, steady=True, skew=1.0),
            Pool("large", [f"/i/{s}/2048.avif" for s in shots], 410_000, 9, cached=True, steady=True, skew=1.0),
            Pool("segment", segments, 1_450_000, 120, status=206, steady=True, fresh=Fresh.SIGNED, skew=1.0),
        ),
        (
            Page("home", 2, {"album": 6, "watch": 2}, (Part("asset", 5, 0.05), Part("thumb", 24, 0.8))),
            # A photo grid: sixty pictures asked for at once.
            Page("album", 4, {"photo": 6, "album": 2}, (Part("asset", 5, 0.05), Part("thumb", 60, 1, bound=True, within_ms=600))),
            Page("photo", 2, {"photo": 6, "album": 1}, (Part("asset", 4, 0.05), Part("large", 1, bound=True))),
            Page("watch", 1.5, {"watch": 3, "home": 1}, (Part("asset", 4, 0.05), Part("segment", 14, bound=True, within_ms=50_000), Part("thumb", 6))),
            Page("gone", 0.1, {"home": 1}, (Part("asset", 3, 0.05),)),
        ),
    )  # fmt: skip
