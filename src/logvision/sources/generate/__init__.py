"""Traffic that nobody sent: a seeded model of several sites, their visitors and labelled attacks on them."""

from logvision.sources.generate.lines import Format
from logvision.sources.generate.replay import replay
from logvision.sources.generate.run import Generated, GenerateOptions, generate
from logvision.sources.generate.source import GenerateReader, GenerateSource
from logvision.sources.generate.writers import FileWriter, StreamWriter, SyslogStyle, SyslogWriter, Writer

__all__ = [
    "FileWriter",
    "Format",
    "GenerateOptions",
    "GenerateReader",
    "GenerateSource",
    "Generated",
    "StreamWriter",
    "SyslogStyle",
    "SyslogWriter",
    "Writer",
    "generate",
    "replay",
]
