"""The quality bench's criterion of what a path names; it must not follow the detector."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

Criterion = Callable[[str], bool]
FILE = Path(__file__).parents[2] / "bench" / "named.py"


@pytest.fixture(scope="module")
def names_a_file() -> Criterion:
    spec = importlib.util.spec_from_file_location("named", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Criterion, module.names_a_file)


@pytest.mark.parametrize(
    "target",
    [
        "/.env",
        "/a/.ssh/config",
        "/site.tar.gz",
        "/index.php.bak",
        "/page.php~",
        "/wp-config.php",
        "/%77eb.xml",
        "/app/errors.txt",
        "/old/phpinfo.php?x=1",
        "/actuator/anything",
        "/WEB-INF/",
    ],
)
def test_files_and_tools_are_named(names_a_file: Criterion, target: str) -> None:
    assert names_a_file(target)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/owa/",
        "/login.action",
        "/wp-login.php",
        "/.well-known/x",
        "/a?f=.env",
        "/robots.txt",
        "/solr/",
        "/a.php",
    ],
)
def test_pages_are_not(names_a_file: Criterion, target: str) -> None:
    assert not names_a_file(target)
