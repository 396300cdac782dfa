"""What every executor knows: rules, model and settings as one versioned value, sent once to each process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from logvision.detect import Detector
from logvision.detect.outcome import Baselines
from logvision.enrich.agent import Agents
from logvision.enrich.client import TrustedProxies
from logvision.enrich.network import Networks
from logvision.enrich.request import Routes
from logvision.entries import user_folder
from logvision.formats import Formats
from logvision.pipeline import Knowledge


@dataclass(frozen=True)
class Bundle:
    """Picklable; the same bundle gives the same verdicts in every process.

    What is learned from row to row (`pipeline.LEARNING`) is not in it: the driver alone has that.
    """

    number: int  # grows by one with every bundle of a run
    detector: Detector
    proxies: TrustedProxies
    formats: Mapping[str, str] = field(default_factory=dict)  # pins, as in the settings
    # The operator's own databases, at the same path on every executor.
    country_db: Path | None = None
    asn_db: Path | None = None

    def knowledge(self) -> Knowledge:
        """Knowledge for `pipeline.ALONE`; half a second. Raises SetupError when a database is not there."""
        return Knowledge(
            formats=Formats(self.formats),
            proxies=self.proxies,
            networks=Networks.open(self.country_db, self.asn_db),
            agents=Agents(user_folder(os.environ)),
            routes=Routes(),
            detector=self.detector,
            baselines=Baselines(),
        )


_held: dict[int, Knowledge] = {}


def held(bundle: Bundle) -> Knowledge:
    """The knowledge of this process, made once per bundle; an older one is let go of."""
    known = _held.get(bundle.number)
    if known is None:
        known = bundle.knowledge()
        _held.clear()
        _held[bundle.number] = known
    return known
