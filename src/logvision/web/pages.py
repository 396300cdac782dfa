"""The page itself: files that the front end was built into, and index.html for every address of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

_UNBUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>LogVision</title></head>
<body><h1>LogVision runs; its page is not built</h1>
<p>Set it up once with <code>make run</code>, or build it with <code>python hatch_build.py</code>.
The API answers under <a href="/api/meta">/api/meta</a>.</p></body></html>
"""

HASHED: Final = "assets"
"""Folder of files whose names hold their digest: they never change."""


def pages(static: Path) -> APIRouter:
    """Routes for everything that no other route took."""
    router = APIRouter(include_in_schema=False)
    root = static.resolve()

    @router.get("/{path:path}")
    def page(path: str) -> Response:
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404, "there is no such address in the API")
        file = _inside(root, path)
        if file is not None:
            forever = path.startswith(f"{HASHED}/")
            kept = "public, max-age=31536000, immutable" if forever else "no-cache"
            return FileResponse(file, headers={"cache-control": kept})
        if path.startswith(f"{HASHED}/"):
            raise HTTPException(404, "there is no such file")
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(_UNBUILT, 503)
        return FileResponse(index, headers={"cache-control": "no-cache"})

    return router


def _inside(root: Path, path: str) -> Path | None:
    """The file of that path below `root`; None: there is none, or it would lead out."""
    if not path or "\0" in path:
        return None
    try:
        file = (root / path).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except OSError:  # e.g. a name longer than the file system takes
        return None
