"""One description of Kafka security feeds librdkafka, aiokafka and Faust."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vigilo.adapters.kafka.security import BadKafkaSecurity, KafkaSecurity, SaslMechanism, SecurityProtocol

SASL: dict[str, Any] = {"mechanism": SaslMechanism.SCRAM_SHA_512, "username": "vigilo", "password": "correct horse"}


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A self-signed certificate that serves as root and as client certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vigilo test")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("pem")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return {"cert": folder / "cert.pem", "key": folder / "key.pem"}


def librdkafka_accepts(security: KafkaSecurity) -> bool:
    """True when the real client takes the configuration (it loads the files at once)."""
    Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0, **security.for_librdkafka()})
    return True


def test_plaintext_is_the_default() -> None:
    security = KafkaSecurity()
    assert security.for_librdkafka() == {"security.protocol": "PLAINTEXT"}
    assert security.for_aiokafka() == {"security_protocol": "PLAINTEXT"}
    assert security.for_faust() is None
    assert librdkafka_accepts(security)


def test_ssl_with_own_root_and_client_certificate(pem: dict[str, Path]) -> None:
    security = KafkaSecurity(
        protocol=SecurityProtocol.SSL, cafile=pem["cert"], certfile=pem["cert"], keyfile=pem["key"]
    )
    assert security.for_librdkafka() == {
        "security.protocol": "SSL",
        "ssl.ca.location": str(pem["cert"]),
        "ssl.endpoint.identification.algorithm": "https",
        "ssl.certificate.location": str(pem["cert"]),
        "ssl.key.location": str(pem["key"]),
    }
    arguments = security.for_aiokafka()
    assert arguments["security_protocol"] == "SSL"
    assert_verifying(arguments["ssl_context"])
    assert arguments["ssl_context"].get_ca_certs()
    assert security.for_faust().protocol.value == "SSL"
    assert librdkafka_accepts(security)


def test_ssl_without_a_root_trusts_the_system() -> None:
    security = KafkaSecurity(protocol=SecurityProtocol.SSL)
    assert security.for_librdkafka()["ssl.ca.location"] == "probe"
    assert_verifying(security.for_aiokafka()["ssl_context"])
    assert librdkafka_accepts(security)


@pytest.mark.parametrize("mechanism", list(SaslMechanism))
def test_sasl_plaintext_with_every_mechanism(mechanism: SaslMechanism) -> None:
    security = KafkaSecurity(protocol=SecurityProtocol.SASL_PLAINTEXT, **{**SASL, "mechanism": mechanism})
    assert security.for_librdkafka() == {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism.value,
        "sasl.username": "vigilo",
        "sasl.password": "correct horse",
    }
    assert security.for_aiokafka() == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism.value,
        "sasl_plain_username": "vigilo",
        "sasl_plain_password": "correct horse",
    }
    credentials = security.for_faust()
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_PLAINTEXT", mechanism.value)
    assert librdkafka_accepts(security)


@pytest.mark.parametrize("mechanism", list(SaslMechanism))
def test_sasl_ssl_with_every_mechanism(mechanism: SaslMechanism, pem: dict[str, Path]) -> None:
    security = KafkaSecurity(protocol=SecurityProtocol.SASL_SSL, cafile=pem["cert"], **{**SASL, "mechanism": mechanism})
    config = security.for_librdkafka()
    assert (config["security.protocol"], config["sasl.mechanism"]) == ("SASL_SSL", mechanism.value)
    assert config["ssl.ca.location"] == str(pem["cert"])
    assert_verifying(security.for_aiokafka()["ssl_context"])
    credentials = security.for_faust()
    assert credentials.protocol.value == "SASL_SSL"
    assert_verifying(credentials.ssl_context)
    assert librdkafka_accepts(security)


@pytest.mark.parametrize("missing", ["mechanism", "username", "password"])
def test_incomplete_sasl_names_the_variable(missing: str) -> None:
    given = {**SASL, missing: None}
    with pytest.raises(BadKafkaSecurity, match=f"VIGILO_KAFKA_SASL_{missing.upper()} is missing"):
        KafkaSecurity(protocol=SecurityProtocol.SASL_SSL, **given)


@pytest.mark.parametrize(
    ("protocol", "advice"),
    [(SecurityProtocol.PLAINTEXT, "SASL_PLAINTEXT or SASL_SSL"), (SecurityProtocol.SSL, "SASL_SSL")],
)
def test_sasl_without_its_protocol_is_refused(protocol: SecurityProtocol, advice: str) -> None:
    with pytest.raises(BadKafkaSecurity, match=f"VIGILO_KAFKA_SASL_MECHANISM is set, .* say {advice}"):
        KafkaSecurity(protocol=protocol, **SASL)


def test_ssl_files_without_its_protocol_are_refused(pem: dict[str, Path]) -> None:
    with pytest.raises(BadKafkaSecurity, match=r"VIGILO_KAFKA_SSL_CAFILE is set, .* say SSL"):
        KafkaSecurity(cafile=pem["cert"])
    with pytest.raises(BadKafkaSecurity, match=r"VIGILO_KAFKA_SSL_CAFILE is set, .* say SASL_SSL"):
        KafkaSecurity(protocol=SecurityProtocol.SASL_PLAINTEXT, cafile=pem["cert"], **SASL)


@pytest.mark.parametrize(("given", "missing"), [("certfile", "SSL_KEYFILE"), ("keyfile", "SSL_CERTFILE")])
def test_half_a_client_certificate_is_refused(pem: dict[str, Path], given: str, missing: str) -> None:
    with pytest.raises(BadKafkaSecurity, match=f"VIGILO_KAFKA_{missing} is missing"):
        KafkaSecurity(protocol=SecurityProtocol.SSL, **{given: pem["key"]})  # type: ignore[arg-type]


def test_a_file_that_is_not_there_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(BadKafkaSecurity, match="VIGILO_KAFKA_SSL_CAFILE: there is no file"):
        KafkaSecurity(protocol=SecurityProtocol.SSL, cafile=tmp_path / "absent.pem")


def test_a_root_file_without_certificates_names_its_variable(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing here")
    security = KafkaSecurity(protocol=SecurityProtocol.SSL, cafile=tmp_path / "empty.pem")
    with pytest.raises(BadKafkaSecurity, match="VIGILO_KAFKA_SSL_CAFILE"):
        security.ssl_context()


def test_the_password_is_not_shown() -> None:
    assert "horse" not in repr(KafkaSecurity(protocol=SecurityProtocol.SASL_SSL, **SASL))


def assert_verifying(context: ssl.SSLContext) -> None:
    """The server's chain and name are both checked."""
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
