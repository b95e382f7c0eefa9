"""Every security setting against a broker that demands it, with each client library.

A broker of its own, for the shared one speaks PLAINTEXT; needs Java and the launcher's jars, else it is skipped.
"""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from cryptography.x509.oid import ExtendedKeyUsageOID
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from pydantic import SecretStr

from tests.fakes.pki import Issued, Options, issue
from tests.servers import wait_until
from vigilo.adapters.kafka.producer import Producer, Undelivered
from vigilo.adapters.kafka.security import SaslMechanism, SecurityProtocol
from vigilo.adapters.kafka.topics import TopicsUnusable, Wanted, apply, missing_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent
from vigilo_cli.launcher import java
from vigilo_cli.launcher.kafka import SETTINGS, lists_a_broker
from vigilo_cli.launcher.ports import any_free
from vigilo_cli.launcher.problems import CannotStart

pytestmark = pytest.mark.kafka

PASSWORD = "correct horse battery staple"
LISTENERS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True)
class SecuredBroker:
    """A running broker: one port per security protocol, and the files clients need."""

    ports: dict[str, int]
    cafile: Path
    certfile: Path
    keyfile: Path

    def settings(self, protocol: SecurityProtocol, **security: Any) -> KafkaSettings:
        """Settings that reach the listener of that protocol."""
        return KafkaSettings(
            bootstrap=f"127.0.0.1:{self.ports[protocol]}",
            topic_prefix=f"t-{uuid.uuid4().hex[:8]}-",
            security_protocol=protocol,
            **security,
        )


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    """The broker of this module."""
    folder = tmp_path_factory.mktemp("secured-kafka")
    try:
        program = java.find_java()
        jars = java.kafka_jars(program)
    except CannotStart as error:
        pytest.skip(str(error))
    root = issue(Options(common_name="Test Root", ca=True))
    files = write_files(folder, root)
    ports = {name: any_free() for name in (*LISTENERS, "CONTROLLER")}
    (folder / "server.properties").write_text(properties(folder, ports))
    with running((str(program), "-Xmx384m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"), folder, ports):
        yield SecuredBroker(ports, *files)


def write_files(folder: Path, root: Issued) -> tuple[Path, Path, Path]:
    """The broker's key store and trust store, and root, certificate and key for clients."""
    server = issue(Options(names=("localhost", "127.0.0.1")), root)
    client = issue(Options(names=("client.example",), eku=(ExtendedKeyUsageOID.CLIENT_AUTH,)), root)
    (folder / "server.pem").write_bytes(server.key_pem + server.chain_pem())
    (folder / "root.pem").write_bytes(root.pem)
    (folder / "client.pem").write_bytes(client.pem)
    (folder / "client.key").write_bytes(client.key_pem)
    return folder / "root.pem", folder / "client.pem", folder / "client.key"


def properties(folder: Path, ports: dict[str, int]) -> str:
    """server.properties with one listener per protocol; SSL demands a client certificate."""
    plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_vigilo="{PASSWORD}";'
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    own = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports['CONTROLLER']}",
        "controller.listener.names": "CONTROLLER",
        "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items()),
        "advertised.listeners": ",".join(f"{name}://127.0.0.1:{ports[name]}" for name in LISTENERS),
        "listener.security.protocol.map": ",".join(["CONTROLLER:PLAINTEXT", *(f"{n}:{n}" for n in LISTENERS)]),
        "log.dirs": str(folder / "data"),
        "sasl.enabled.mechanisms": ",".join(SaslMechanism),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "server.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(folder / "root.pem"),
        "listener.name.ssl.ssl.client.auth": "required",
        "listener.name.sasl_ssl.ssl.client.auth": "none",
    }
    for listener in ("sasl_plaintext", "sasl_ssl"):
        for mechanism in SaslMechanism:
            module = plain if mechanism is SaslMechanism.PLAIN else scram
            own[f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config"] = module
    return "".join(f"{name}={value}\n" for name, value in {**SETTINGS, **own}.items())


@contextmanager
def running(base: tuple[str, ...], folder: Path, ports: dict[str, int]) -> Iterator[None]:
    """Formats the storage with a SCRAM user, runs the broker, stops it."""
    config = str(folder / "server.properties")
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    users = [f"--add-scram={m}=[name=vigilo,password={PASSWORD}]" for m in SaslMechanism if m != "PLAIN"]
    tool = [*base, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", config, *users]
    subprocess.run(tool, check=True, capture_output=True, timeout=60)
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen([*base, "kafka.Kafka", config], stdout=log, stderr=log)
        try:
            wait_until(lambda: lists_a_broker(ports["PLAINTEXT"]), seconds=60, what="the secured broker")
            yield
        finally:
            process.kill()
            process.wait(timeout=10)


def sasl(mechanism: SaslMechanism, password: str = PASSWORD) -> dict[str, Any]:
    return {"sasl_mechanism": mechanism, "sasl_username": "vigilo", "sasl_password": SecretStr(password)}


async def every_client_works(settings: KafkaSettings) -> None:
    """librdkafka makes a topic and writes; aiokafka reads it, with its own arguments and with those Faust makes."""
    await asyncio.to_thread(apply, settings, [Wanted("hosts", 1, {})])
    async with Producer(settings, client_id="test", delivery_timeout=timedelta(seconds=10)) as producer:
        await producer.send(EncodedEvent("hosts", b"key", b"{}", ()))
    security = settings.security()
    for arguments in (security.for_aiokafka(), credentials_to_aiokafka_auth(security.for_faust())):
        consumer = AIOKafkaConsumer(
            settings.physical("hosts"),
            bootstrap_servers=settings.bootstrap,
            auto_offset_reset="earliest",
            **arguments,
        )
        await consumer.start()
        try:
            record = await asyncio.wait_for(consumer.getone(), timeout=10)
        finally:
            await consumer.stop()
        assert record.key == b"key"


async def test_plaintext(broker: SecuredBroker) -> None:
    await every_client_works(broker.settings(SecurityProtocol.PLAINTEXT))


async def test_ssl_with_a_client_certificate(broker: SecuredBroker) -> None:
    files = {"ssl_cafile": broker.cafile, "ssl_certfile": broker.certfile, "ssl_keyfile": broker.keyfile}
    await every_client_works(broker.settings(SecurityProtocol.SSL, **files))


@pytest.mark.parametrize("mechanism", list(SaslMechanism))
async def test_sasl_plaintext(broker: SecuredBroker, mechanism: SaslMechanism) -> None:
    await every_client_works(broker.settings(SecurityProtocol.SASL_PLAINTEXT, **sasl(mechanism)))


@pytest.mark.parametrize("mechanism", list(SaslMechanism))
async def test_sasl_ssl(broker: SecuredBroker, mechanism: SaslMechanism) -> None:
    await every_client_works(broker.settings(SecurityProtocol.SASL_SSL, ssl_cafile=broker.cafile, **sasl(mechanism)))


def test_ssl_without_the_client_certificate_is_refused(broker: SecuredBroker) -> None:
    settings = broker.settings(SecurityProtocol.SSL, ssl_cafile=broker.cafile)
    with pytest.raises(TopicsUnusable, match="does not answer"):
        missing_topics(settings, ["hosts"], timeout=3.0)


def test_a_broker_whose_root_is_not_trusted_is_refused(broker: SecuredBroker, tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(issue(Options(common_name="Other Root", ca=True)).pem)
    settings = broker.settings(
        SecurityProtocol.SASL_SSL, ssl_cafile=tmp_path / "other.pem", **sasl(SaslMechanism.PLAIN)
    )
    with pytest.raises(TopicsUnusable, match="certificate verify failed"):
        missing_topics(settings, ["hosts"], timeout=3.0)


async def test_a_wrong_password_is_refused(broker: SecuredBroker) -> None:
    settings = broker.settings(SecurityProtocol.SASL_PLAINTEXT, **sasl(SaslMechanism.SCRAM_SHA_512, "wrong"))
    with pytest.raises(TopicsUnusable, match="Authentication failed"):
        await asyncio.to_thread(missing_topics, settings, ["hosts"], timeout=3.0)
    async with Producer(settings, client_id="test", delivery_timeout=timedelta(seconds=2)) as producer:
        with pytest.raises(Undelivered):
            await producer.send(EncodedEvent("hosts", b"key", b"{}", ()))
