"""Log formats: from raw lines to parsed requests, whatever wrote them. See docs/formats.md."""

from logvision.formats.parse import Formats, Parsed

__all__ = ["Formats", "Parsed"]
