"""The site's own normal as one portable bundle: routes and profiles, with a version that names the contents.

An engine that judges on many machines broadcasts these bytes; each machine opens them and judges by them
as the one that learned them does. Batches that many machines saw are learned where they come together.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Self

import orjson

from logvision.detect.profiles import Profiles
from logvision.enrich.request import Routes
from logvision.errors import Problem, SetupError

MAGIC: Final = b"logvision normal 1\n"
"""How a bundle begins. The number is that of the layout."""


@dataclass(frozen=True, slots=True)
class Normal:
    """What a site was found to be like. Opened copies share nothing."""

    routes: Routes
    profiles: Profiles

    def bundle(self) -> tuple[str, bytes]:
        """Version (32 hex digits, of the contents) and bytes. The same knowledge gives the same of both.

        Cost: milliseconds; at most a few MB.
        """
        parts = (orjson.dumps(self.routes.snapshot()), self.profiles.snapshot())
        data = MAGIC + b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return _version(data), data

    @classmethod
    def opened(cls, data: bytes, version: str | None = None) -> Self:
        """The bundle's contents. Raises SetupError when it is none, or not the one of this version."""
        try:
            routes, profiles = _parts(data)
            if version is not None and _version(data) != version:
                raise ValueError(f"version {_version(data)}")
            return cls(Routes.restore(orjson.loads(routes)), Profiles.restore(profiles))
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            wanted = "a bundle of routes and profiles" + (f" of version {version}" if version else "")
            raise SetupError(Problem("the site's normal", str(error) or "other bytes", wanted)) from error


def _version(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def _parts(data: bytes) -> list[bytes]:
    if not data.startswith(MAGIC):
        raise ValueError("bytes of another kind")
    found = []
    at = len(MAGIC)
    for _ in range(2):
        size = int.from_bytes(data[at : at + 8], "big")
        found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    if at != len(data):
        raise ValueError(f"{len(data)} bytes where {at} belong")
    return found
