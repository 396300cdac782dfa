"""A wiki with documentation, code search and a synchronised folder."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np

from logvision.sources.generate.phrases import CODE_SEARCHES, LOOKS, THINGS, TOPICS, VERBS
from logvision.sources.generate.site import Missing, Page, Part, Pool, Site
from logvision.sources.generate.sites.wording import hexes, many, prefixes, searches


def site(rng: np.random.Generator) -> Site:
    named = (
        "SQL_injection",
        "Cross-site_scripting",
        "Directory_traversal_attack",
        "Null_(SQL)",
        "Union_(set_theory)",
        "Passwd",
        "O%27Reilly_Media",
        "C%2B%2B",
        "Schr%C3%B6dinger%27s_cat",
        "%E6%95%B0%E6%8D%AE%E5%BA%93",
        "%D0%9A%D0%BE%D1%84%D0%B5",
        ".htaccess",
        "AC/DC",
        "Who%3F",
        "Wget",
        "100%25",
    )
    wiki = [f"/wiki/{name}" for name in named] + [
        f"/wiki/{topic.title()}_{thing.title()}_({look})"
        for topic, thing, look in many(rng, 5_000, TOPICS, THINGS, LOOKS)
    ]
    guides = [f"/docs/{t}/{v}.html" for t in TOPICS for v in VERBS] + [
        "/docs/sql/select-union.html",
        "/docs/sql/insert-into.html",
        "/docs/php/eval.html",
        "/docs/shell/exec.html",
        "/docs/admin/index.html",
        "/docs/config/env.html",
        "/docs/js/alert.html",
        "/docs/git/config.html",
        "/docs/css/../img/x.html",
    ]
    source = [
        f"/src/{project}/blob/main/{folder}/{name}?plain=1"
        for project, folder, name in many(
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
            many(rng, 6_000, TOPICS),
            rng.integers(1_100_000, 1_200_000, 6_000),
            rng.integers(1_000_000, 1_100_000, 6_000),
            strict=True,
        )
    ]
    asks = [
        f"/w/api.php?action=query&format=json&list=search&srsearch={w}&utf8="
        for w in searches(rng, CODE_SEARCHES, 700)
    ]
    assets = [
        "/load.php?lang=en&modules=site.styles&only=styles&skin=vector",
        "/static/docs.4c1b.css",
        "/static/docs.91aa.js",
        "/favicon.ico",
        "/load.php?lang=en&modules=startup&only=scripts&raw=1&skin=vector",
        "/static/fonts/mono.woff2",
    ]
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
            Pool(
                "code",
                [f"/search?type=code&q={w}" for w in searches(rng, CODE_SEARCHES, 3_000)],
                26_000,
                190,
                skew=1.2,
            ),
            Pool("diff", diffs, 29_000, 240, skew=1.0),
            Pool("gone", [f"/docs/v1/{t}.html" for t in TOPICS], 153, 0.6, status=404, steady=True),
            Pool(
                "download",
                [f"/download?file=manuals%2F{a}-{b}.pdf" for a, b in many(rng, 300, LOOKS, THINGS)],
                240_000,
                9,
                skew=1.4,
                steady=True,
            ),
            Pool("ask", asks, 5_400, 110, skew=1.0),
            Pool(
                "suggest",
                [f"/w/rest.php/v1/search/title?q={p}&limit=10" for p in prefixes([*THINGS, *CODE_SEARCHES])],
                2_100,
                35,
                skew=1.0,
            ),
            Pool("asset", assets, 36_000, 2, cached=True, steady=True, skew=1.0),
            Pool(
                "figure",
                [f"/images/thumb/{h[0]}/{h[:2]}/{h}.svg/330px-{h}.svg.png" for h in hexes(rng, 6_000)],
                18_000,
                2,
                cached=True,
                steady=True,
                skew=1.4,
            ),
            Pool(
                "dav",
                [
                    f"/remote.php/dav/files/{quote(u)}/{t.title()}/{n}.md"
                    for u, t, n in many(rng, 3_000, ("anna", "o'brien", "li wei"), TOPICS, THINGS)
                ],
                1_150,
                60,
            ),
        ),
        (
            Page("home", 1.5, {"wiki": 5, "guide": 3, "code": 1}, part),
            Page(
                "wiki",
                6,
                {"wiki": 7, "diff": 0.5, "home": 0.5, "code": 0.5},
                (*part, Part("suggest", 0.5, within_ms=-2500)),
            ),
            Page("guide", 4, {"guide": 6, "code": 1.4, "source": 1, "wiki": 1, "download": 0.4}, part),
            Page("download", 0.15, {"guide": 1}),
            Page("source", 0.7, {"source": 4, "code": 2}, (Part("asset", 5, 0.04),)),
            Page(
                "code",
                0.6,
                {"source": 5, "code": 4, "guide": 1},
                (Part("asset", 5, 0.04), Part("suggest", 2, within_ms=-2500), Part("ask", 0.3)),
            ),
            Page("diff", 0.1, {"diff": 2, "wiki": 2}, part),
            Page("gone", 0.2, {"guide": 2, "home": 1}, (Part("asset", 4, 0.04),)),
        ),
    )
