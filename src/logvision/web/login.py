"""The routes of the session: signing in and out."""

from __future__ import annotations

import math
from typing import cast

from fastapi import APIRouter, HTTPException, Request, Response

from logvision.web.auth import COOKIE, SESSION_S, Attempts, Sessions, is_password
from logvision.web.models import FAULTS, Done, Login
from logvision.web.services import Ask

api = APIRouter(prefix="/api", responses=FAULTS)


@api.post("/login", operation_id="login")
def login(request: Request, response: Response, services: Ask, body: Login) -> Done:
    """Open a session. 401: wrong password; 429: too many wrong ones."""
    kept = services.options.password_hash
    if kept is None:
        return Done()
    attempts, sessions = (
        cast(Attempts, request.app.state.attempts),
        cast(Sessions, request.app.state.sessions),
    )
    address = request.client.host if request.client else ""
    wait = attempts.wait_s(address)
    if wait > 0:
        seconds = math.ceil(wait)
        raise HTTPException(429, f"too many wrong passwords; wait {seconds} s", {"retry-after": str(seconds)})
    if not is_password(body.password, kept):
        attempts.failed(address)
        raise HTTPException(401, "the password is wrong")
    attempts.succeeded(address)
    response.set_cookie(
        COOKIE,
        sessions.issue(),
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return Done()


@api.post("/logout", operation_id="logout")
def logout(response: Response) -> Done:
    """End the session of this browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return Done()
