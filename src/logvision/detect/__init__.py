"""Detection: from an enriched event to a probability, a class, the rules behind it and how it went."""

from logvision.detect.detector import Detector, detect

__all__ = ["Detector", "detect"]
