"""A shop: catalogue, search, cart, account."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np

from logvision.sources.generate.phrases import LOOKS, SHOP_SEARCHES, THINGS
from logvision.sources.generate.site import Fresh, Missing, Page, Part, Pool, Site
from logvision.sources.generate.sites.wording import hexes, many, prefixes, searches


def site(rng: np.random.Generator) -> Site:
    products = [
        f"/product/{look}-{thing}-{number}"
        for number, (look, thing) in enumerate(many(rng, 20_000, LOOKS, THINGS), 10_000)
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
            many(rng, 6_000, THINGS, sorts, filters), rng.geometric(0.4, 6_000), strict=True
        )
    ]
    words = searches(rng, SHOP_SEARCHES, 6_000)
    images = [
        f"/media/catalog/{digest[:2]}/{digest}-{size}.webp"
        for digest, size in zip(hexes(rng, 24_000), rng.choice([160, 320, 640, 1200], 24_000), strict=True)
    ]
    assets = [
        "/assets/app-3f2a91c4.js",
        "/assets/vendor-b81de2.js",
        "/assets/app-77c0e1.css",
        "/assets/fonts/inter-var.woff2",
        "/assets/css/../img/sprite.svg",
        "/assets/img/logo.svg",
        "/favicon.ico",
        "/assets/js/cart-9d2c.js",
        "/assets/js/select.min.js",
        "/manifest.webmanifest",
        "/assets/img/../img/hero.avif",
    ]
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
                [f"/api/suggest?q={p}" for p in prefixes(SHOP_SEARCHES + THINGS)],
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
