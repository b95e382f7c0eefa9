"""One Kafka broker for one machine: somebody else's, Docker's, or Apache Kafka from Maven artifacts."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from vigilo_cli.launcher import docker, java
from vigilo_cli.launcher.home import Home
from vigilo_cli.launcher.ports import LOOPBACK
from vigilo_cli.launcher.problems import CannotStart, reason_in
from vigilo_cli.launcher.server import ExternalServer, Server

IMAGE = f"apache/kafka:{java.KAFKA_VERSION}"
HEAP_MB = 384

# Measured: idle RSS and start time matter here, peak throughput does not.
JVM_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:ReservedCodeCacheSize=48m",
    "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=25",
    "-XX:-UsePerfData",
    "-Xss512k",
    "-Djava.awt.headless=true",
    f"-Dlog4j2.configurationFile={java.KAFKA_FILES / 'log4j2.properties'}",
)

SETTINGS: Mapping[str, str] = {
    "auto.create.topics.enable": "false",
    "background.threads": "2",
    "compression.type": "producer",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "8388608",  # its default alone takes 128 MB of heap
    "num.io.threads": "4",
    "num.network.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "offsets.retention.minutes": "5256000",  # ten years: a laptop may be closed for longer than the default 7 days
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
}


def choose_kafka(home: Home, *, bootstrap: str | None, heap_mb: int = HEAP_MB) -> Server:
    """The broker to use: the one at `bootstrap` if given, else Docker's if its engine answers, else a local one."""
    if bootstrap:
        return ExternalServer("kafka", bootstrap, "VIGILO_KAFKA_BOOTSTRAP")
    if docker.engine_answers():
        return DockerKafka(home)
    return JavaKafka(home, heap_mb=heap_mb)


class JavaKafka(Server):
    """Apache Kafka in KRaft mode, one node, loopback only, data in `<home>/kafka`."""

    def __init__(self, home: Home, *, heap_mb: int = HEAP_MB) -> None:
        super().__init__("kafka", f"Apache Kafka {java.KAFKA_VERSION} on this machine", home)
        self._folder = home.root / "kafka"
        self._heap_mb = heap_mb
        self._argv: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Fetch the jars, write the properties, format the storage the first time."""
        program = java.find_java()
        jars = java.kafka_jars(program)
        ports = self.home.ports
        self.port = ports.get("kafka")
        self._folder.mkdir(parents=True, exist_ok=True)
        properties = self._folder / "server.properties"
        properties.write_text(_properties(self._folder / "data", self.port, ports.get("kafka-controller")))
        base = (str(program), *JVM_OPTIONS, "-cp", f"{jars}/*")
        self._format((*base, "kafka.tools.StorageTool"), properties)
        heap = ("-Xms48m", f"-Xmx{self._heap_mb}m")
        self._argv = (base[0], *heap, *base[1:], "kafka.Kafka", str(properties))

    def _format(self, tool: tuple[str, ...], properties: Path) -> None:
        done = self._folder / "formatted"
        if done.exists():
            return
        shutil.rmtree(self._folder / "data", ignore_errors=True)  # of a first run that did not get this far
        cluster = urlsafe_b64encode(uuid.UUID(bytes=secrets.token_bytes(16)).bytes).rstrip(b"=").decode()
        options = ("format", f"--cluster-id={cluster}", "--config", str(properties))
        answer = subprocess.run([*tool, *options], capture_output=True, text=True, timeout=120, check=False)
        if answer.returncode != 0:
            reason = reason_in(answer.stderr or answer.stdout)
            raise CannotStart(f"Kafka's storage under {self._folder} cannot be formatted: {reason}")
        done.write_text(cluster)

    def launch(self) -> None:
        """Start the broker; ready some 3 seconds later."""
        self.address = f"{LOOPBACK}:{self.port}"
        self.start_child(self._argv, environment={"MALLOC_ARENA_MAX": "2"})

    def is_ready(self) -> bool:
        """True once the broker lists itself as a member of the cluster."""
        return lists_a_broker(self.port)


class DockerKafka(Server):
    """The official image in the foreground of `docker run`, data in a volume of its own."""

    def __init__(self, home: Home) -> None:
        super().__init__("kafka", f"Docker, {IMAGE}", home)

    def prepare(self) -> None:
        """Fetch the image."""
        self.port = self.home.ports.get("kafka")
        name = docker.name_for(self.home.root, "kafka")
        environment = container_settings(self.port)
        self._container = docker.Container(name, IMAGE, (self.port, 9092), "/var/lib/kafka/data", environment)
        docker.prepare(self._container)

    def launch(self) -> None:
        """Start the container."""
        self.address = f"{LOOPBACK}:{self.port}"
        command = docker.command(self.name, self._container)
        self.start_child(command.argv, environment=command.environment)

    def is_ready(self) -> bool:
        """True once the broker lists itself as a member of the cluster."""
        return lists_a_broker(self.port)


def container_settings(port: int) -> dict[str, str]:
    """The environment of the official image, advertised on that loopback port."""
    inside = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "controller.listener.names": "CONTROLLER",
        "listeners": "PLAINTEXT://:9092,CONTROLLER://localhost:9093",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": "/var/lib/kafka/data",
    }
    named = {f"KAFKA_{key.upper().replace('.', '_')}": text for key, text in {**SETTINGS, **inside}.items()}
    return {**named, "KAFKA_HEAP_OPTS": f"-Xmx{HEAP_MB}m"}


def _properties(data: Path, port: int, controller_port: int) -> str:
    own = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data).replace("\\", "\\\\"),
    }
    return "".join(f"{key}={text}\n" for key, text in {**SETTINGS, **own}.items())


def lists_a_broker(port: int) -> bool:
    """True if a Metadata request (version 1, no topics) is answered with at least one broker.

    Asked in plain bytes, for a Kafka client in the launcher would cost more memory than the launcher itself.
    """
    client = b"vigilo"
    header = struct.pack(">hhih", 3, 1, 1, len(client)) + client
    body = struct.pack(">i", 0)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
            answer = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] > 0


def kafka_bootstrap_from_environment() -> str | None:
    """`VIGILO_KAFKA_BOOTSTRAP`, or None if unset or empty."""
    return os.environ.get("VIGILO_KAFKA_BOOTSTRAP") or None
