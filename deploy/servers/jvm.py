"""What servers in a JVM have in common: what they need, and where they log."""

from __future__ import annotations

import shutil
from pathlib import Path

import fetch

_LOGGING = """
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{{HH:mm:ss.SSS}} %p %c{{1}}: %m%n
rootLogger.level = {level}
rootLogger.appenderRef.out.ref = out
"""


def lacking(jars: str, title: str) -> str | None:
    """Why a server of these jars cannot run on this machine; None: it can."""
    if shutil.which("java") is None:
        return "no Java 17 on the PATH"
    return None if fetch.fetched(jars) else f"no {title} in .cluster: python deploy/fetch.py {jars}"


def logging(folder: Path, level: str) -> str:
    """The option by which log4j writes to standard output; its settings are put into `folder`."""
    settings = folder / "log4j2.properties"
    settings.write_text(_LOGGING.format(level=level))
    return f"-Dlog4j2.configurationFile={settings}"
