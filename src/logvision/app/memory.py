"""Memory habits of the process, set before its first thread: small and level rather than fast to grow."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

# <malloc.h> of glibc
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_SELDOM: Final = (20_000, 20, 20)

_LARGE: Final = 512 << 10
"""Blocks from this size on, in B, go back to the system as soon as they are free. glibc would raise the bound
with every larger block, until columns of megabytes lie among small ones and hold their gaps."""

_TRIM: Final = 4 << 20
"""Bytes at the end of the heap that go back as soon as they are free."""

_BUFFER: Final = 192 << 10
"""The same where questions are asked for weeks: DuckDB takes buffers of 256 kB, which would come to lie among
what stays. With the page open at 2,000 lines/s the process grew by 94 MB in three minutes, and by 14 so."""

_DUCKDB: Final = "narenas:1,dirty_decay_ms:500,muzzy_decay_ms:0,background_thread:true"
"""How DuckDB's own allocator (jemalloc) keeps pages there: half a second, after which a thread of its own
gives them back. By itself it looks only when somebody asks again, and has 70 MB between two questions. At
once costs half of a question's time; so it costs nothing that could be measured."""


def choose() -> None:
    """Say how the process takes memory; to be called before heavy libraries are imported.

    Each stage of the engine allocates on one thread and frees on another; with an arena per thread
    (glibc's default), pools that keep what they had (Arrow's) and gaps that nothing fits, a scan's peak was
    measured at 520 MB instead of 370. Polars has work for one thread here, its others would keep buffers of
    their own; numpy's linear algebra has none, and starts and ends a thread per processor in 20 ms. What the
    environment says already stays; elsewhere than on glibc only the pools change.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    # A page of 2 MB stands whole as soon as a byte of it is written, and of some rooms little is.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _say(_LARGE)


def _say(large: int) -> None:
    glibc = _glibc()
    if glibc is not None:
        # Before the first thread: an arena that is there stays in use.
        glibc.mallopt(_M_ARENA_MAX, 1)
        glibc.mallopt(_M_MMAP_THRESHOLD, large)
        glibc.mallopt(_M_TRIM_THRESHOLD, _TRIM)


@contextmanager
def without_pandas() -> Iterator[None]:
    """Arrow does without pandas from here on, also where it is installed (it comes with Spark).

    Arrow looks for it once, when it first makes an array of a list, and an import costs 50 MB and half a
    second.
    """
    absent = _Absent()
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


class _Absent:
    """Finds everything but pandas."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("not wanted here", name=fullname)


@contextmanager
def imports() -> Iterator[None]:
    """What is imported meanwhile stays: to walk through it for garbage takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # once in a process, as in `keep`
            gc.freeze()
        gc.enable()


def keep() -> None:
    """What stands now stays to the end: the garbage collector need not walk through it again and again.

    What comes after is seldom a cycle: it may wait for a collection that is worth it. Once in a process: what
    a first scan in it left would otherwise never go.
    """
    if gc.get_threshold() == _SELDOM:
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    give_back()


def settle(*, lasting: bool = False) -> None:
    """The same for a process that imported them without `choose`, as far as it can still be chosen.

    `lasting`: it runs for weeks and answers questions meanwhile.
    """
    import pyarrow as pa  # noqa: PLC0415 - after `choose`

    choose()
    if lasting:
        _say(_BUFFER)
        os.environ.setdefault("DUCKDB_JE_MALLOC_CONF", _DUCKDB)  # read when the library is loaded
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Let the system have the pages between live blocks that hold nothing; costs about 10 ms."""
    glibc = _glibc()
    if glibc is not None:
        glibc.malloc_trim(0)


def _glibc() -> Any:
    """The C library where it is glibc."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
