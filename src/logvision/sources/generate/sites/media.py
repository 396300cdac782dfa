"""A gallery: photo grids that ask for sixty pictures at once, and video in signed segments."""

from __future__ import annotations

import numpy as np

from logvision.sources.generate.site import Fresh, Missing, Page, Part, Pool, Site
from logvision.sources.generate.sites.wording import hexes


def site(rng: np.random.Generator) -> Site:
    albums = [f"/album/{h}" for h in hexes(rng, 3_000)]
    shots = hexes(rng, 60_000, 12)
    videos = hexes(rng, 1_500, 10)
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
        0.09,
        Missing(404, 548, 0, 0.5),
        (
            Pool("home", ["/", "/explore", "/explore?tab=popular"], 16_000, 35),
            Pool("album", albums, 21_000, 60, skew=1.8),
            Pool("photo", [f"/p/{s}" for s in shots], 12_500, 45, skew=1.6),
            Pool("watch", [f"/watch/{v}" for v in videos], 15_400, 50, skew=2.2),
            Pool("gone", [f"/p/deleted-{n}" for n in range(200)], 548, 0.5, status=404, steady=True),
            Pool("asset", assets, 64_000, 1.5, cached=True, steady=True, skew=1.0),
            Pool(
                "thumb", [f"/t/{s}/320.avif" for s in shots], 14_000, 1.4, cached=True, steady=True, skew=1.0
            ),
            Pool(
                "large", [f"/i/{s}/2048.avif" for s in shots], 410_000, 9, cached=True, steady=True, skew=1.0
            ),
            Pool("segment", segments, 1_450_000, 120, status=206, steady=True, fresh=Fresh.SIGNED, skew=1.0),
        ),
        (
            Page("home", 2, {"album": 6, "watch": 2}, (Part("asset", 5, 0.05), Part("thumb", 24, 0.8))),
            # A photo grid: sixty pictures asked for at once.
            Page(
                "album",
                4,
                {"photo": 6, "album": 2},
                (Part("asset", 5, 0.05), Part("thumb", 60, 1, bound=True, within_ms=600)),
            ),
            Page(
                "photo", 2, {"photo": 6, "album": 1}, (Part("asset", 4, 0.05), Part("large", 1, bound=True))
            ),
            Page(
                "watch",
                1.5,
                {"watch": 3, "home": 1},
                (Part("asset", 4, 0.05), Part("segment", 14, bound=True, within_ms=50_000), Part("thumb", 6)),
            ),
            Page("gone", 0.1, {"home": 1}, (Part("asset", 3, 0.05),)),
        ),
    )
