"""Fetch what the distributed mode runs on and Python's registry has not: jars by Maven, FerretDB by Go.

    python deploy/fetch.py [kafka] [spark] [flume] [ferretdb]

Everything goes to `.cluster/NAME` beside this checkout and stays there until its pom or source changes.
What cannot be fetched because Maven or Go is not there is said and left out; a fetch that fails exits with 1.
Needs nothing but Python's standard library.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent
KEPT = DEPLOY.parent / ".cluster"
"""Where everything is kept; ignored by git."""

RECIPES = {
    "kafka": ("mvn", "kafka/pom.xml"),
    "spark": ("mvn", "spark/pom.xml"),
    "flume": ("mvn", "flume/pom.xml"),
    "ferretdb": ("go", "ferretdb/go.mod", "ferretdb/main.go"),
}
"""Name to the tool that fetches it and the files that say what."""

PATIENCE_S = 900.0  # for one of them, over a slow network


def folder(name: str) -> Path:
    """Where one of RECIPES stands once it is fetched; its parent's other files are stamps."""
    return KEPT / name


def fetched(name: str) -> bool:
    """True when it stands there as its files say today."""
    stamp = KEPT / f"{name}.stamp"
    return folder(name).is_dir() and stamp.exists() and stamp.read_text() == _digest(name)


def fetch(name: str) -> None:
    """Fetch one, whole or not at all. Raises CalledProcessError or TimeoutExpired when that fails."""
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=KEPT, prefix=f"{name}.") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        _maven(name, made) if RECIPES[name][0] == "mvn" else _go(name, made, Path(scratch))
        shutil.rmtree(folder(name), ignore_errors=True)
        made.rename(folder(name))
    (KEPT / f"{name}.stamp").write_text(_digest(name))


def _maven(name: str, made: Path) -> None:
    pom = str(DEPLOY / RECIPES[name][1])
    what = ["dependency:copy-dependencies", f"-DoutputDirectory={made}", "-DincludeScope=runtime"]
    _run(["mvn", "-q", "-B", "-f", pom, *what], made)


def _go(name: str, made: Path, scratch: Path) -> None:
    source = scratch / "source"
    shutil.copytree(DEPLOY / name, source)  # go writes its sums beside the source
    _run(["go", "mod", "tidy"], source)
    _run(["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(made / name), "."], source)


def _run(command: list[str], where: Path) -> None:
    subprocess.run(command, cwd=where, check=True, timeout=PATIENCE_S, capture_output=True, text=True)


def _digest(name: str) -> str:
    parts = [(DEPLOY / file).read_bytes() for file in RECIPES[name][1:]]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def main(names: list[str]) -> int:
    """Fetch what is not there yet; exit status."""
    unknown = [name for name in names if name not in RECIPES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; expected some of: {', '.join(RECIPES)}", file=sys.stderr)
        return 2
    status = 0
    for name in names or list(RECIPES):
        tool = RECIPES[name][0]
        if fetched(name):
            continue
        if shutil.which(tool) is None:
            print(f"{name} is not fetched: no {tool} on the PATH", file=sys.stderr)
            continue
        print(f"fetching {name} ...", file=sys.stderr)
        try:
            fetch(name)
        except subprocess.CalledProcessError as error:
            print(f"{name} could not be fetched: {error}\n{error.stdout}{error.stderr}", file=sys.stderr)
            status = 1
        except subprocess.TimeoutExpired as error:
            print(f"{name} could not be fetched: {error}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
