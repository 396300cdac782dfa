"""The live stream: messages of the live bus as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import StreamingResponse

from logvision.live.base import HEALTH, KINDS, NOW, Live, Message
from logvision.web.models import FAULTS
from logvision.web.services import Ask

api = APIRouter(prefix="/api", responses=FAULTS)

PING_S: Final = 15.0
RETRY_MS: Final = 2_000  # a browser that lost us comes back after this


async def stream(
    live: Live, after: str | None, kinds: frozenset[str] = KINDS, ping_s: float = PING_S
) -> AsyncIterator[str]:
    """Text of the stream; a page that just opened first gets the newest of what it shows at once.

    Ends with the bus. Closing the iterator gives the subscription back.
    """
    messages = live.subscribe(after, kinds)
    following: asyncio.Future[Message] | None = None
    try:
        yield f"retry: {RETRY_MS}\n\n"
        # Subscribed from here on, so that nothing falls between the snapshot and what follows it.
        following = asyncio.ensure_future(anext(messages))
        await asyncio.sleep(0)
        if after is None:
            newest = live.snapshot()
            for kind in (NOW, HEALTH):
                if kind in kinds and kind in newest:
                    # Without its id: a browser that comes back resumes by what it was streamed.
                    yield _text(newest[kind], with_id=False)
        while True:
            done, _ = await asyncio.wait({following}, timeout=ping_s)
            if not done:
                yield ": ping\n\n"
                continue
            try:
                message = following.result()
            except StopAsyncIteration:
                return
            following = asyncio.ensure_future(anext(messages))
            yield _text(message)
    finally:
        if following is not None and not following.done():
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await following
        close = getattr(messages, "aclose", None)
        if close is not None:
            await close()


def _text(message: Message, *, with_id: bool = True) -> str:
    """One event. JSON text holds no line break, so one `data:` line carries it whole."""
    name = f"id: {message.id}\n" if with_id else ""
    return f"{name}event: {message.kind}\ndata: {message.data}\n\n"


@api.get("/stream", operation_id="stream", response_class=StreamingResponse)
async def live_stream(
    request: Request,
    services: Ask,
    kinds: Annotated[str | None, Query(description="now,events,incident,health; absent: all")] = None,
) -> StreamingResponse:
    """Server-sent events; resumes by Last-Event-ID."""
    wanted = frozenset(kinds.split(",")) if kinds else KINDS
    if not wanted <= KINDS:
        raise HTTPException(400, f"kinds are {', '.join(sorted(KINDS))}")
    text = stream(services.live, request.headers.get("last-event-id") or None, wanted)
    return StreamingResponse(
        text, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )
