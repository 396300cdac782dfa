"""Log formats: from raw lines to parsed requests, whatever wrote them. See docs/formats.md."""

from logvision.formats.detect import detect, parse_line
from logvision.formats.parse import Formats, Parsed

__all__ = ["Formats", "Parsed", "detect", "parse_line"]
