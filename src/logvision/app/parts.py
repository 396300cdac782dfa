"""The parts of a running system, made from settings."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from logvision.app.learning import promoted
from logvision.config import KafkaSettings, LakeSettings, Settings
from logvision.detect import Detector
from logvision.detect.behaviour import Behaviour
from logvision.detect.classifier import Classifier
from logvision.detect.correlate import Correlator
from logvision.detect.outcome import Baselines
from logvision.detect.volume import Volume
from logvision.engines.bundle import Bundle
from logvision.engines.state import State
from logvision.enrich.agent import Agents
from logvision.enrich.client import TrustedProxies
from logvision.enrich.network import Networks
from logvision.enrich.request import Routes
from logvision.entries import user_folder
from logvision.errors import Problem, SetupError
from logvision.formats import Formats
from logvision.lake import anonymise
from logvision.lake.anonymise import Anonymiser
from logvision.pipeline import Knowledge
from logvision.sources.base import Source
from logvision.sources.file import FileSource
from logvision.sources.several import Several
from logvision.sources.stdin import StdinSource
from logvision.sources.syslog import SyslogSource
from logvision.windows.folder import Folder

if TYPE_CHECKING:
    from logvision.sources.kafka.sender import KafkaTarget


def knowledge(settings: Settings, kept: Path | None = None) -> Knowledge:
    """What the pipeline's steps know. Raises SetupError with every mistake of every part.

    `kept`: the data folder whose promoted model counts; None: the shipped one does.
    """
    model = None if kept is None else promoted(kept)
    problems: list[Problem] = []
    made: dict[str, object] = {}
    makers = {
        "formats": lambda: Formats(settings.formats),
        "proxies": lambda: TrustedProxies(settings.client.trusted_proxies, settings.client.presets),
        "networks": lambda: Networks.open(settings.network.country_db, settings.network.asn_db),
        "agents": lambda: Agents(user_folder(os.environ)),
        "routes": Routes,
        "detector": lambda: detector(settings.detect.rules, settings.detect.threshold, model),
        "baselines": Baselines,
    }
    for name, make in makers.items():
        try:
            made[name] = make()
        except SetupError as error:
            problems.extend(error.problems)
    if problems:
        raise SetupError(problems)
    return Knowledge(**made)  # type: ignore[arg-type]


def detector(rules: Sequence[Path], threshold: float, model: Path | None = None) -> Detector:
    """The package's own rules and these besides. `model`: instead of the shipped one. Raises SetupError."""
    made = Detector.open(rules, threshold=threshold)
    return made if model is None else replace(made, model=Classifier.open(model))


def bundle(known: Knowledge, settings: Settings) -> Bundle:
    """What another process needs for the steps that look at rows alone."""
    return Bundle(
        number=0,
        detector=known.detector,
        proxies=known.proxies,
        formats=settings.formats,
        country_db=settings.network.country_db,
        asn_db=settings.network.asn_db,
    )


def state(settings: Settings) -> State:
    """Empty windows, buckets and incidents."""
    return State(Folder(), Behaviour.open(settings.detect.scenarios), Correlator(), Volume())


def anonymiser(lake: LakeSettings, *, kept: bool) -> Anonymiser | None:
    """How addresses are made unrecognisable; None: not at all.

    `kept`: into a data folder, whose key makes equal what is equal over restarts. Raises SetupError.
    """
    if lake.anonymise == "truncate":
        return anonymise.truncating()
    if lake.anonymise == "hash":
        return anonymise.hashing(anonymise.key_of(lake.folder) if kept else secrets.token_bytes(32))
    return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: as configured, or as given on the command line."""

    paths: Sequence[str]
    syslog: Sequence[str]
    history: bool = True
    kafka: KafkaSettings | None = None  # None, or without brokers: no topic


def source(wanted: Wanted, *, follow: bool) -> Source:
    """One source of everything wanted. Raises SetupError."""
    sources: list[Source] = []
    files = tuple(source_name(path) for path in wanted.paths if path != "-")
    if files:
        sources.append(FileSource(files, follow=follow, history=wanted.history))
    if "-" in wanted.paths:
        sources.append(StdinSource(follow=follow))
    sources.extend(_syslog(address) for address in wanted.syslog)
    if wanted.kafka is not None and wanted.kafka.brokers:
        sources.append(_kafka(wanted.kafka, wanted.history))
    return sources[0] if len(sources) == 1 else Several(tuple(sources))


def source_name(path: str) -> str:
    """A file's source is named by its absolute path; symbolic links stay."""
    return path if path == "-" else os.path.abspath(path)  # noqa: PTH100 - resolve() follows links


def _kafka(kafka: KafkaSettings, history: bool) -> Source:
    with cluster_extra("kafka"):
        from logvision.sources.kafka.reader import KafkaSource  # noqa: PLC0415 - an extra

    return KafkaSource(
        ",".join(kafka.brokers), kafka.topic, kafka.group, properties(kafka.settings), history=history
    )


def target(kafka: KafkaSettings) -> KafkaTarget:
    """Where lines are shipped to. Raises SetupError."""
    with cluster_extra("kafka"):
        from logvision.sources.kafka.sender import KafkaTarget  # noqa: PLC0415 - an extra

    return KafkaTarget(",".join(kafka.brokers), kafka.topic, properties(kafka.settings))


@contextmanager
def cluster_extra(where: str) -> Iterator[None]:
    """Imports what only the distributed mode needs. Raises SetupError when it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SetupError(
            Problem(where, f"no module {error.name!r}", "pip install 'logvision[cluster]'")
        ) from None


def properties(settings: Mapping[str, str | int | float | bool]) -> tuple[tuple[str, str], ...]:
    """Properties of a client as text: true and false in lower case."""
    return tuple(
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in settings.items()
    )


def _syslog(address: str) -> SyslogSource:
    """udp://127.0.0.1:5140, tcp://[::1]:5140 or both with syslog://."""
    parts = urlsplit(address)
    schemes = {"udp": (True, False), "tcp": (False, True), "syslog": (True, True)}
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in schemes or port is None or not parts.hostname:
        raise SetupError(
            Problem("source.syslog", repr(address), "udp://host:port, tcp://host:port or syslog://host:port")
        )
    udp, tcp = schemes[parts.scheme]
    return SyslogSource(parts.hostname, port, udp=udp, tcp=tcp)
