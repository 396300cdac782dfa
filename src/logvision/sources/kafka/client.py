"""What reader and sender share: settings of the client library, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from logvision.errors import Problem, SetupError

Settings = tuple[tuple[str, str], ...]
"""Properties of librdkafka by name, e.g. security.protocol, sasl.password, ssl.ca.location."""

Client = TypeVar("Client")

SECRETS: Final = ("password", "secret", "token", ".pem", "jaas")

OURS: Final = frozenset(
    {
        "bootstrap.servers",
        "group.id",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "auto.offset.reset",
        "partition.assignment.strategy",
        "enable.idempotence",
        "acks",
        "message.timeout.ms",
    }
)
"""Properties on which it rests that every line is counted exactly once."""


def connect(
    make: Callable[[dict[str, Any]], Client], ours: Mapping[str, Any], settings: Settings, **callbacks: Any
) -> Client:
    """A client with our properties and the operator's. Raises SetupError with every mistake."""
    problems = [
        Problem(f"kafka.settings {name!r}", shown(name, value), "nothing: LogVision sets this one itself")
        for name, value in settings
        if name in OURS
    ]
    if problems:
        raise SetupError(problems)
    # Its own log says every failed connection again each second; what matters comes by callback.
    properties = {"client.id": "logvision", "log_level": 0, **ours, **dict(settings)}
    try:
        return make({**properties, **callbacks})
    except KafkaException as error:
        raise SetupError(Problem("kafka.settings", text(error), "properties that librdkafka knows")) from None


def shown(name: str, value: str) -> str:
    """A setting as it may be printed."""
    return "***" if any(mark in name for mark in SECRETS) else repr(value)


def text(error: KafkaException | KafkaError) -> str:
    """What went wrong, in the client's words."""
    found = error.args[0] if isinstance(error, KafkaException) and error.args else error
    return found.str() if isinstance(found, KafkaError) else str(found)
