"""Why a line was judged as it was, from its raw bytes on."""

from __future__ import annotations
