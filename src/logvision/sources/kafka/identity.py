"""Which topic a name stands for: one that was deleted and made anew has another id (KIP-516).

The client library does not go over to such a topic by itself. The epochs of its leaders count from the
beginning again, and what comes with an older epoch than the client has heard of it takes for stale
(https://github.com/confluentinc/librdkafka/issues/4898). Who hears here that the id has changed connects
anew.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from logvision.sources.kafka.client import Settings, connect

PERIOD_S: Final = 3.0  # between two questions
GONE: Final = "gone"  # what no id is
NONE: Final = "0" * 32  # of a broker that is older than ids


class Identity:
    """Asks the brokers over a connection of its own. Used by one thread."""

    def __init__(self, brokers: str, topic: str, settings: Settings) -> None:
        """Raises SetupError for properties that the client does not know."""
        self._topic = topic
        self._admin = connect(AdminClient, {"bootstrap.servers": brokers}, settings)
        self._asked: Future[Any] | None = None
        self._ask_at = 0.0

    def heard(self, now: float) -> str | None:
        """The topic's id, as soon as it is there, about every PERIOD_S; never waits. `now`: monotonic, in s.

        GONE: there is no such topic. None: nothing new, no broker, or brokers without ids.
        """
        if self._asked is not None:
            if not self._asked.done():
                return None
            asked, self._asked = self._asked, None
            try:
                return _id(asked)
            except KafkaException as error:
                unknown = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
                return GONE if unknown else None
        if now >= self._ask_at:
            self._ask_at = now + PERIOD_S
            self._asked = self._question(PERIOD_S)
        return None

    def ask(self, patience_s: float) -> str | None:
        """The topic's id, waited for; None: the brokers have no ids. Raises KafkaException."""
        return _id(self._question(patience_s))

    def _question(self, patience_s: float) -> Future[Any]:
        topics = TopicCollection([self._topic])
        found: Future[Any] = self._admin.describe_topics(topics, request_timeout=patience_s)[self._topic]
        return found


def _id(asked: Future[Any]) -> str | None:
    uuid = asked.result().topic_id
    parts = (uuid.get_most_significant_bits(), uuid.get_least_significant_bits())
    text = "".join(f"{part & (1 << 64) - 1:016x}" for part in parts)
    return None if text == NONE else text
