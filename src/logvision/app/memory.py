"""Memory habits of the process, set before its first thread: small and level rather than fast to grow."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

import pyarrow as pa

_M_ARENA_MAX: Final = -8  # <malloc.h> of glibc


def settle() -> None:
    """Give Arrow the system's allocator and glibc one arena for all threads.

    Each stage allocates on one thread and frees on another; with an arena per thread (glibc's
    default) and pools that keep what they had, a scan's peak was measured at 520 MB instead of 400.
    Elsewhere than on glibc the arenas stay as they are.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
