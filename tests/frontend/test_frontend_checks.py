"""The page's own checks and tests, run with the Node that builds it."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The build hook, which knows how to find npm."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def frontend(hook: ModuleType) -> Path:
    """The front end with the packages that its checks need; an install has only what the build needs."""
    folder = ROOT / "frontend"
    if not (folder / "node_modules/vitest").is_dir() or not hook.has_packages(folder):
        npm(hook, folder, "ci", "--no-audit", "--no-fund")
    return folder


def npm(hook: ModuleType, folder: Path, *arguments: str) -> None:
    command, environment = hook.npm_command()
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]


def test_types_format_and_generated_client_are_in_order(hook: ModuleType, frontend: Path) -> None:
    npm(hook, frontend, "run", "check")


def test_the_pages_own_tests_pass(hook: ModuleType, frontend: Path) -> None:
    npm(hook, frontend, "test")
