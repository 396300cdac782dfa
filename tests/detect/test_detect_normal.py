"""The bundle that carries a site's normal to other machines."""

from __future__ import annotations

import numpy as np
import pytest

from event_tables import event, events
from logvision.detect.normal import MAGIC, Normal
from logvision.detect.profiles import Profiles
from logvision.enrich.request import Routes, add
from logvision.errors import SetupError

ROWS = [event(target=f"/item/{n}/view?q=milk", client_ip=f"198.51.{n}.7") for n in range(60)]


@pytest.fixture
def normal() -> Normal:
    routes, profiles = Routes(), Profiles()
    bare = events(ROWS).drop_columns(["route", "kind"])
    routed = add(add(bare, routes).drop_columns(["route", "kind"]), routes)
    profiles.learn(routed, ())
    return Normal(routes, profiles)


def test_an_opened_bundle_knows_the_same_routes_and_profiles(normal: Normal) -> None:
    version, data = normal.bundle()
    opened = Normal.opened(data, version)
    assert opened.bundle() == (version, data)
    key = ("shop.example", "/item/{int}/view", "q")
    assert opened.profiles.get(*key) == normal.profiles.get(*key)
    assert opened.profiles.get(*key) is not None


def test_the_version_follows_the_contents(normal: Normal) -> None:
    before = normal.bundle()[0]
    assert normal.bundle()[0] == before
    normal.profiles.learn(events([event(target="/?x=1", client_ip="192.0.2.1")]), ())
    assert normal.bundle()[0] != before


def test_other_bytes_or_another_version_are_refused(normal: Normal) -> None:
    version, data = normal.bundle()
    rng = np.random.default_rng(1)
    for bad in (b"", b"x" + data, data[:-1], data + b"x", MAGIC, MAGIC + rng.bytes(100)):
        with pytest.raises(SetupError, match="bundle of routes and profiles"):
            Normal.opened(bad)
    with pytest.raises(SetupError, match=f"of version {'0' * 32}"):
        Normal.opened(data, "0" * 32)
    assert Normal.opened(data, version).profiles.snapshot() == normal.profiles.snapshot()
