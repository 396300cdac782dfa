"""The library of the core: its functions and their arguments, and whether it is there, of these sources."""

from __future__ import annotations

import ctypes
import os
import secrets
from typing import Any, Final

from logvision.native import build

_P, _I, _U = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint64
_i, _b = ctypes.c_int32, ctypes.c_uint8

_FUNCTIONS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "lv_hashes": (None, (_P, _P, _I, _U, _P)),
    "lv_texts_new": (_P, (_U,)),
    "lv_texts_free": (None, (_P,)),
    "lv_texts_add": (_I, (_P, _P, _P, _P, _I, _P)),
    "lv_texts_found": (_I, (_P,)),
    "lv_texts_bytes": (_I, (_P,)),
    "lv_texts_copy": (None, (_P, _P, _P)),
    "lv_halves": (_I, (_P, _P, _I, _P, _P, _P, _P)),
    "lv_gather": (None, (_P, _P, _P, _I, _P, _P)),
    "lv_cut": (_I, (_P, _P, _P, _I, _P, _i, _i, _i, _P, _P, _b, _P, _P, _P)),
    "lv_clf_times": (None, (_P, _P, _P, _I, _P, _P)),
    "lv_line_ends": (_I, (_P, _I, _P, _I)),
    "lv_trimmed": (_I, (_P, _P, _P, _I, _I, _P, _P, _P)),
    "lv_suspects": (_I, (_P, _I, _P, _I, _P)),
    "lv_integers": (None, (_P, _P, _P, _I, _P, _P, _P)),
    "lv_requests": (_I, (_P, _P, _P, _I, _P, _P, _P, _P, _P, _P, _P)),
    "lv_first": (None, (_P, _P, _P, _I, _b, _P)),
    "lv_addresses": (None, (_P, _P, _I, _P, _P, _P)),
    "lv_networks": (None, (_P, _P, _I, _P, _P)),
    "lv_pieces": (_I, (_P, _P, _P, _P, _P, _P, _P, _I, _I, _I, _I, _P, _P, _P, _P, _P, _P)),
    "lv_unquoted": (None, (_P, _P, _I, _P, _P)),
    "lv_teach": (None, (_P, _I, _I, _P, _P, _P, _I)),
    "lv_canonical": (_I, (_P, _P, _I, _i, _i, _P, _P)),
    "lv_parts": (_I, (_P, _P, _I, _I, _i, _P, _P, _P, _P, _P)),
    "lv_text": (_I, (_P, _I, _i, _P)),
    "lv_joined": (None, (_P, _P, _I, _P, _P)),
    "lv_marked": (None, (_P, _P, _I, _P, _P)),
    "lv_margins": (None, (_P, _P, _P, _I, _I, _P, _P, _i, _P, _P)),
    "lv_sql": (_I, (_P, _I, _P, _I, _P, _I, _I, _P)),
    "lv_mixed": (None, (_P, _P, _I, _P, _I)),
    "lv_known": (None, (_P, _I, _P, _I, _P)),
    "lv_numbered": (_I, (_P, _I, _U, _P, _P, _P)),
    "lv_keyed_new": (_P, (_U, _P, _I)),
    "lv_keyed_free": (None, (_P,)),
    "lv_keyed_count": (_I, (_P,)),
    "lv_keyed_save": (None, (_P, _P, _P)),
    "lv_keyed_load": (_I, (_P, _P, _P, _I)),
    "lv_poured": (_I, (_P, _P, _P, _P, _I, _P, _I, _P, _P, _I, _P, _P, _P, _P, _P, _P)),
    "lv_tallied": (_I, (_P, _P, _P, _P, _I, _I, _U, _P, _P)),
    "lv_forms": (None, (_P, _P, _I, _P, _P, _P, _I, _P, _P, _P)),
    "lv_crcs": (None, (_P, _P, _I, _P)),
    "lv_registers": (ctypes.c_double, (_P, _P, _I, _i, _P)),
    "lv_used": (_I, (_P, _P, _I, _I, _P, _I)),
    "lv_places_new": (_P, (_I, _U, _P, _I)),
    "lv_places_free": (None, (_P,)),
    "lv_places_count": (_I, (_P,)),
    "lv_places_full": (_i, (_P,)),
    "lv_places_routes": (_I, (_P, _P, _P, _I, _P, _P, _I, _P, _P)),
    "lv_places_saved": (_I, (_P,)),
    "lv_places_save": (_I, (_P, _P)),
    "lv_places_load": (_I, (_P, _P, _I, _i)),
    "lv_memo_new": (_P, (_I, _I, _U)),
    "lv_memo_free": (None, (_P,)),
    "lv_memo_size": (_I, (_P,)),
    "lv_memo_find": (_I, (_P, _P, _P, _I, _P)),
    "lv_memo_keep": (_I, (_P, _P, _P, _P, _I, _P)),
}


def _load() -> tuple[Any, str]:
    """The library and what is to say about it; None where there is none to be used."""
    if os.environ.get("LOGVISION_NATIVE") == "none":
        return None, "switched off by LOGVISION_NATIVE=none"
    if not build.LIBRARY.is_file():
        return None, "not built"
    try:
        library = ctypes.CDLL(str(build.LIBRARY))
    except OSError as error:
        return None, f"cannot be loaded: {error}"
    library.lv_digest.restype = ctypes.c_char_p
    if library.lv_digest() != build.digest().encode():
        return None, "built from other sources than these; run `python hatch_build.py`"
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library, "in use"


CORE, STATE = _load()
"""The library, None where it is not used, and why in words."""

KEY: Final = secrets.randbits(64)
"""Of the hashes of this process: nobody can choose texts that collide."""
