"""A single-page application and its API: soft 404s, tokens, OData, GraphQL and PromQL in queries."""

from __future__ import annotations

import base64
from urllib.parse import quote

import numpy as np

from logvision.sources.generate.phrases import PROSE_SEARCHES, TOPICS, VERBS
from logvision.sources.generate.site import Fresh, Missing, Page, Part, Pool, Site
from logvision.sources.generate.sites.wording import hexes, many, searches


def site(rng: np.random.Generator) -> Site:
    ids = [str(n) for n in range(1_000, 5_000)]
    words = searches(rng, PROSE_SEARCHES, 1_500, plus=False)
    views = [f"/projects/{n}/board" for n in ids] + [
        f"/projects/{n}/issues/{m}" for n, m in many(rng, 6_000, ids, ids)
    ]
    tasks = [
        f"/api/v1/projects/{n}/tasks?{more}"
        for n, more in many(
            rng,
            12_000,
            ids,
            (
                "status=open&sort=-updated_at&limit=50",
                "assignee=me",
                "filter%5Bdue%5D%5Blt%5D=2026-12-01&include=labels,author",
                "fields=id,title,(labels(name))",
                "q=title%3A%22or%20else%22%20OR%20label%3Abug",
            ),
        )
    ]
    odata = [
        f"/odata/Orders?$filter=CustomerName%20eq%20%27{name}%27%20and%20Total%20gt%20{total}&$orderby=Date%20desc&$top={top}"
        for name, total, top in many(
            rng, 900, ("O%27%27Brien", "Smith", "D%27%27Arcy", "M%C3%BCller"), ids[:40], ("10", "50")
        )
    ]
    graph = [
        "/graphql?query="
        + quote(
            f"query {{ project(id: {n}) {{ title tasks(first: {top}) {{ nodes {{ id name }} }} }} }}", safe=""
        )
        for n, top in many(rng, 600, ids, ("5", "20"))
    ]
    metric = [
        "/api/v1/query_range?query="
        + quote(f'sum(rate(http_requests_total{{project="{n}",code=~"5.."}}[5m])) by (path) > {top}', safe="")
        for n, top in many(rng, 400, ids[:200], ("0", "1", "10"))
    ]
    assets = [
        "/assets/index-DkX91cVq.js",
        "/assets/index-B7f2Lw3p.css",
        "/assets/board-CmP0a1xQ.js",
        "/assets/editor-Dq8sNf2z.js",
        "/assets/inter-latin-wght-normal-Dx4kXJAl.woff2",
        "/vite.svg",
        "/favicon.ico",
    ]
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
            Pool(
                "callback",
                [f"/auth/callback?state={state}"],
                0,
                60,
                status=302,
                steady=True,
                fresh=Fresh.TOKEN,
            ),
            Pool("session", ["/api/v1/session"], 812, 280, method="POST", status=201),
            Pool("session_wrong", ["/api/v1/session"], 67, 275, method="POST", status=401, steady=True),
            Pool("me", ["/api/v1/users/me", "/api/v1/notifications?unread=true"], 1_240, 14),
            Pool("tasks", tasks, 9_800, 42, skew=1.5),
            Pool("task", ["/api/v1/tasks"], 940, 38, fresh=Fresh.NUMBER),
            Pool("change", ["/api/v1/tasks"], 930, 65, method="PATCH", fresh=Fresh.NUMBER),
            Pool("remove", ["/api/v1/tasks"], 0, 48, method="DELETE", status=204, fresh=Fresh.NUMBER),
            Pool("search", [f"/api/v1/search?q={word}&scope=all" for word in words], 4_200, 85, skew=1.3),
            Pool("report", odata + metric, 15_800, 180, skew=1.2),
            Pool(
                "preview",
                [
                    f"/api/v1/preview?url={quote(f'https://{t}.example.org/{v}?id={n}&ref=a/b', safe='')}"
                    for t, v, n in many(rng, 800, TOPICS, VERBS, ids)
                ],
                1_350,
                420,
                skew=1.2,
            ),
            Pool("graph", ["/graphql"], 3_300, 45, method="POST"),
            Pool("graph_get", graph, 3_100, 40, skew=1.2),
            Pool("socket", ["/ws"], 182, 30_000, status=101, fresh=Fresh.JWT),
            Pool(
                "preflight", ["/api/v1/tasks", "/graphql"], 0, 0.8, method="OPTIONS", status=204, steady=True
            ),
            Pool("asset", assets, 78_000, 1.2, cached=True, steady=True, skew=1.0),
            Pool(
                "avatar",
                [
                    f"/avatars/{h}.png?s=64&d=https%3A%2F%2Fapp.example.net%2Fblank.png"
                    for h in hexes(rng, 3_000, 32)
                ],
                4_100,
                3,
                cached=True,
                steady=True,
                skew=1.2,
            ),
        ),
        (
            Page(
                "shell",
                6,
                {"view": 6, "session": 1, "session_wrong": 0.15, "search": 0.7, "report": 0.5},
                board,
            ),
            Page("callback", 0.6, {"shell": 1}),
            Page("session_wrong", 0, {"session": 1}),
            Page("session", 0, {"view": 1}),
            Page("view", 3, {"view": 5, "task": 6, "search": 1, "report": 0.6}, board),
            Page(
                "task",
                0,
                {"change": 4, "view": 3, "task": 3, "remove": 0.2},
                (Part("preflight", 0.05), Part("preview", 0.12)),
            ),
            Page("change", 0, {"task": 4, "change": 3, "view": 2}),
            Page("remove", 0, {"view": 1}),
            Page("search", 0, {"task": 4, "search": 3, "view": 1}),
            Page("report", 0.1, {"report": 3, "view": 1}, (Part("graph_get", 0.6),)),
        ),
    )
