"""What the tests of detection share: the detector as it is shipped, opened once a file."""

from __future__ import annotations

import pytest

from logvision.detect import Detector


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.open()
