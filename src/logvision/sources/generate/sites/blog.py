"""A blog on a content management system, with authors who write in it."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np

from logvision.sources.generate.phrases import PROSE_SEARCHES, SLUGS, THINGS, TOPICS, VERBS
from logvision.sources.generate.site import Fresh, Missing, Page, Part, Pool, Site
from logvision.sources.generate.sites.wording import many, searches


def site(rng: np.random.Generator) -> Site:
    slugs = [
        *SLUGS,
        *(f"{verb}-{topic}-{thing}" for verb, topic, thing in many(rng, 4_000, VERBS, TOPICS, THINGS)),
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
            many(rng, 12_000, TOPICS, THINGS, ("1024x683", "768x512", "300x200", "scaled")),
            rng.integers(0, 59, 12_000),
            strict=True,
        )
    ]
    assets = [
        "/wp-includes/js/jquery/jquery.min.js?ver=3.7.1",
        "/wp-includes/css/dist/block-library/style.min.css?ver=6.9.1",
        "/wp-content/themes/paper/style.css?ver=2.4",
        "/wp-content/themes/paper/css/../fonts/serif.woff2",
        "/wp-content/plugins/contact-form-7/includes/js/index.js?ver=6.1.2",
        "/favicon.ico",
        "/wp-includes/js/wp-emoji-release.min.js?ver=6.9.1",
        "/wp-content/themes/paper/js/menu.js?ver=2.4",
    ]
    edits = [f"/wp-admin/post.php?post={n}&action=edit" for n in range(300, 4_300)]
    return Site(
        "blog",
        "blog.example.org",
        0.2,
        Missing(404, 21_840, 160, 140),
        (
            Pool(
                "home",
                ["/", *(f"/page/{n}/" for n in range(2, 40))],
                52_000,
                120,
                skew=3.0,
                fresh=Fresh.CLICK,
                fresh_share=0.06,
            ),
            Pool("post", posts, 68_000, 150, fresh=Fresh.CLICK, fresh_share=0.18, skew=1.8),
            Pool("tag", tags, 41_000, 130),
            Pool(
                "search",
                [f"/?s={word}" for word in searches(rng, PROSE_SEARCHES, 3_000)],
                38_000,
                210,
                skew=1.3,
            ),
            Pool(
                "gone",
                [f"/2019/{n % 12 + 1:02d}/{slug}/" for n, slug in enumerate(slugs[:300])],
                21_840,
                140,
                status=404,
            ),
            Pool("comment", ["/wp-comments-post.php"], 0, 240, method="POST", status=302, steady=True),
            Pool("login", ["/wp-login.php"], 6_240, 90, steady=True),
            Pool("sign_in", ["/wp-login.php"], 0, 420, method="POST", status=302, steady=True),
            Pool("edit", edits, 142_000, 380, skew=1.2),
            Pool("save", edits, 0, 350, method="POST", status=302, skew=1.2),
            Pool("heartbeat", ["/wp-admin/admin-ajax.php"], 58, 60, method="POST"),
            Pool("feed", ["/feed/", "/comments/feed/"], 48_000, 110, cached=True),
            Pool("asset", assets, 31_000, 1.5, cached=True, steady=True, skew=1.0),
            Pool("photo", photos, 96_000, 2.5, cached=True, steady=True, skew=1.0),
            Pool(
                "oembed",
                [
                    f"/wp-json/oembed/1.0/embed?url={quote('https://blog.example.org' + p, safe='')}"
                    for p in posts[:900]
                ],
                1_900,
                90,
            ),
        ),
        (
            Page(
                "home",
                3,
                {"post": 8, "tag": 1.5, "search": 0.8, "home": 1, "login": 0.12},
                (Part("asset", 8, 0.06), Part("photo", 6, 0.7)),
            ),
            Page(
                "post",
                7,
                {"post": 4, "home": 1.6, "tag": 1, "comment": 0.12, "search": 0.3},
                (Part("asset", 8, 0.06), Part("photo", 4, 0.9, bound=True), Part("oembed", 0.08)),
            ),
            Page("tag", 0.6, {"post": 6, "tag": 2}, (Part("asset", 8, 0.05), Part("photo", 5, 0.7))),
            Page("search", 0.2, {"post": 5, "search": 2}, (Part("asset", 7, 0.05), Part("photo", 3, 0.7))),
            Page("gone", 0.15, {"home": 2, "search": 1}, (Part("asset", 7, 0.05),)),
            Page("comment", 0, {"post": 1}),
            Page("login", 0.08, {"sign_in": 1}, (Part("asset", 5, 0.05),)),
            Page("sign_in", 0, {"edit": 1}),
            Page(
                "edit",
                0,
                {"save": 4, "edit": 1},
                (Part("asset", 7, 0.1), Part("heartbeat", 4, within_ms=60_000)),
            ),
            Page("save", 0, {"edit": 3, "post": 1}),
        ),
    )
