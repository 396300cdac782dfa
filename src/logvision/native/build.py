"""Builds the core: the C files beside this one into one shared library, for this machine's kind of processor.

`hatch_build.py` runs it for wheels and editable installs, with the C compiler of the PyPI wheel `ziglang` or,
without that wheel, the system's `cc`. This file imports nothing but the standard library, for it runs where
the package is not installed yet.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
LIBRARY: Final = FOLDER / ("core.dll" if os.name == "nt" else "core.so")

FLAGS: Final = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-g0", "-Wall")

BASELINE: Final = {"x86_64": "x86_64_v2", "amd64": "x86_64_v2", "aarch64": "generic", "arm64": "generic"}
"""Machine to the least processor, by the compiler's name, that the library runs on."""


def digest() -> str:
    """SHA-256 over the names and bytes of the C files: what a library says of itself when it is theirs."""
    total = hashlib.sha256()
    for path in sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h"))):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def build(*, extra: tuple[str, ...] = (), into: Path = LIBRARY) -> None:
    """Compile. Raises SystemExit with the compiler's words when there is no compiler or it fails.

    `extra` flags come last.
    """
    command = compiler() if not extra else ["cc"]
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".building-") as folder:
        made = Path(folder) / into.name
        sources = [str(path) for path in sorted(FOLDER.glob("*.c"))]
        done = subprocess.run(  # noqa: S603
            [*command, *FLAGS, f'-DLV_DIGEST="{digest()}"', *extra, "-o", str(made), *sources],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{done.stdout}\nThe native core could not be compiled by {' '.join(command)}.")
        # Renamed into place: a process that has the old one open keeps it.
        made.replace(into)


def compiler() -> list[str]:
    """The compiler's command, with the baseline of this machine."""
    if importlib.util.find_spec("ziglang") is not None:
        least = BASELINE.get(platform.machine().lower())
        return [sys.executable, "-m", "ziglang", "cc", *([f"-mcpu={least}"] if least else [])]
    found = shutil.which("cc")
    if found is None:
        raise SystemExit(
            "The native core could not be compiled: neither the Python package ziglang nor a C compiler `cc` "
            "is here. Install with build isolation (plain `pip install`). Without the core all works, slower."
        )
    return [found]


def is_current(library: Path = LIBRARY) -> bool:
    """Whether the library stands and was built from the C files as they are."""
    return library.is_file() and digest().encode() in library.read_bytes()


SANITISED: Final = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
"""Run the tests on such a library with LD_PRELOAD of the compiler's libasan, ASAN_OPTIONS=detect_leaks=0 and,
so that every array has guarded ends, ARROW_DEFAULT_MEMORY_POOL=system and PYTHONMALLOC=malloc.
Build anew without these flags then: nothing else can load it."""


if __name__ == "__main__":
    build(extra=SANITISED if "--sanitize" in sys.argv else ())
