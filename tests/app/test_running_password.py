"""Where the page can be reached from elsewhere it asks for a password, made at the first start and kept."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest
from whole_runs import Watched, line

from logvision.app.access import KEPT, protected
from logvision.config import WebSettings
from logvision.errors import SetupError
from logvision.web.auth import COOKIE, hash_password, is_password

EVERYWHERE = {"host": "0.0.0.0"}  # noqa: S104 - what this is about


@pytest.mark.usefixtures("quick")
def test_the_password_of_the_first_start_opens_the_page_and_is_good_after_a_restart(tmp_path: Path) -> None:
    log, data = tmp_path / "access.log", tmp_path / "data"
    log.write_bytes(line())
    with Watched(log, data, web=EVERYWHERE) as first:
        password = first.password
        assert password is not None
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            first.get("api/health")
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            first.post("api/login", {"password": "something else"})
        cookie = str(first.post("api/login", {"password": password}).headers["set-cookie"]).partition(";")[0]
        assert cookie.startswith(COOKIE)
        assert first.get("api/health", cookie=cookie)["ok"] is True

    assert stat.S_IMODE((data / KEPT).stat().st_mode) == 0o600
    assert password not in (data / KEPT).read_text()
    with Watched(log, data, web=EVERYWHERE) as again:
        assert again.password is None
        assert again.get("api/health", cookie=cookie)["ok"] is True  # the session too
        again.post("api/login", {"password": password})


def test_nothing_is_made_on_loopback_or_where_a_password_is_set(tmp_path: Path) -> None:
    own = WebSettings(host="0.0.0.0", password_hash=hash_password("a word of mine"))  # noqa: S104
    for web in (WebSettings(), WebSettings(host="::1"), own):
        assert protected(web, tmp_path) == (web, None)
    assert list(tmp_path.iterdir()) == []


def test_an_emptied_file_makes_a_new_password(tmp_path: Path) -> None:
    (tmp_path / KEPT).touch()
    web, fresh = protected(WebSettings(host="::"), tmp_path)
    assert fresh is not None
    assert is_password(fresh, str(web.password_hash))
    assert protected(WebSettings(host="::"), tmp_path) == (web, None)


def test_a_folder_that_cannot_keep_it_is_a_mistake_of_set_up(tmp_path: Path) -> None:
    (tmp_path / KEPT).mkdir()
    with pytest.raises(SetupError, match=KEPT):
        protected(WebSettings(host="::"), tmp_path)
