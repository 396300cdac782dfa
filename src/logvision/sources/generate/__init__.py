"""Traffic that nobody sent: a seeded model of several sites, their visitors and labelled attacks on them."""

from logvision.sources.generate.lines import Format
from logvision.sources.generate.source import GenerateReader, GenerateSource

__all__ = ["Format", "GenerateReader", "GenerateSource"]
