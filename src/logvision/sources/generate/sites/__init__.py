"""The virtual sites, drawn once per run."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from logvision.sources.generate.site import Site
from logvision.sources.generate.sites import app, blog, docs, media, shop

MAKERS = {"shop": shop.site, "blog": blog.site, "app": app.site, "docs": docs.site, "media": media.site}
SITE_NAMES = tuple(MAKERS)


@lru_cache(maxsize=8)
def build(seed: int, names: tuple[str, ...] = SITE_NAMES) -> tuple[Site, ...]:
    """The sites of a run; each the same for the same seed, whichever others are asked for."""
    return tuple(MAKERS[name](np.random.default_rng([seed, 7, SITE_NAMES.index(name)])) for name in names)
