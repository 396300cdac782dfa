"""One Kafka broker that is its own controller (KRaft), from the jars of deploy/kafka."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import fetch
from servers import jvm
from servers.process import Server, ServerError, answers, free_port

CLUSTER_ID = "bG9ndmlzaW9uLWNsdXN0ZQ"  # any 16 bytes in base64 without padding

JVM = ["-Xmx256m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
"""A small heap and a quick start: a broker for one machine's trials."""

API_VERSIONS = struct.pack(">hhih", 18, 0, 1, -1)
"""A request that a broker answers once it takes clients: ApiVersions, version 0, no client id."""


class Kafka(Server):
    """Topics are made by who needs them (`auto.create.topics.enable` is off)."""

    name = "kafka"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._controller = free_port()

    @classmethod
    def lacking(cls) -> str | None:
        return jvm.lacking("kafka", "Kafka")

    def command(self) -> list[str]:
        settings = self.folder / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in self.settings().items()))
        java = [
            "java",
            *JVM,
            jvm.logging(self.folder, "warn"),
            "-cp",
            f"{fetch.folder('kafka')}/*",
        ]
        if not (self.folder / "data" / "meta.properties").exists():
            tool = [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(settings)]
            done = subprocess.run(tool, capture_output=True, text=True, timeout=60, check=False)
            if done.returncode:
                raise ServerError(f"kafka's folder could not be made: {done.stdout}{done.stderr}")
        return [*java, "kafka.Kafka", str(settings)]

    def settings(self) -> dict[str, str]:
        """server.properties."""
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            # One broker: internal topics have one copy and few partitions.
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            # Trials should not wait: groups form at once, a dead reader is missed soon.
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "log.cleaner.enable": "false",
            # One that was killed may come back this soon.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
        }

    def ready(self) -> bool:
        request = struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS
        return answers(self.port, request, b"\0\0")


class SecureKafka(Kafka):
    """A broker that has, beside its open listener, one with TLS that asks for a name and a password."""

    user, password = "logvision", "a long password"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._secure = free_port()
        self._certificate = folder / "broker.pem"

    @property
    def secure_address(self) -> str:
        """Where clients with a password find it."""
        return f"127.0.0.1:{self._secure}"

    @property
    def client_settings(self) -> dict[str, str]:
        """What a client needs, but for the password."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": self.user,
            "ssl.ca.location": str(self._certificate),
        }

    def command(self) -> list[str]:
        if not self._certificate.exists():
            self._make_certificate()
        return super().command()

    def settings(self) -> dict[str, str]:
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        there = super().settings()
        return {
            **there,
            "listeners": f"{there['listeners']},SECURE://{self.secure_address}",
            "advertised.listeners": f"{there['advertised.listeners']},SECURE://{self.secure_address}",
            "listener.security.protocol.map": f"{there['listener.security.protocol.map']},SECURE:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.secure.plain.sasl.jaas.config": f'{login} user_{self.user}="{self.password}";',
            "listener.name.secure.ssl.keystore.type": "PKCS12",
            "listener.name.secure.ssl.keystore.location": str(self.folder / "broker.p12"),
            "listener.name.secure.ssl.keystore.password": self.password,
            "listener.name.secure.ssl.key.password": self.password,
        }

    def _make_certificate(self) -> None:
        store = ["-keystore", str(self.folder / "broker.p12"), "-storetype", "PKCS12"]
        store += ["-storepass", self.password, "-alias", "broker"]
        name = ["-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1", "-validity", "3"]
        for words in (
            ["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", *name, *store],
            ["-exportcert", "-rfc", "-file", str(self._certificate), *store],
        ):
            subprocess.run(["keytool", *words], check=True, capture_output=True, timeout=60)
