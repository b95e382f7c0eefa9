"""What a certificate says of its place in a chain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes import pki
from vigilo.events.facts import CertificateFacts, Validation
from vigilo.tls.certificate import read_certificate

WEEK = timedelta(days=7)
BEFORE = datetime(2026, 3, 14, tzinfo=UTC)
AFTER = datetime(2026, 3, 15, tzinfo=UTC)


def facts(options: pki.Options, issuer: pki.Issued | None = None) -> CertificateFacts:
    return read_certificate(pki.issue(options, issuer).der)


def policy(*oids: str) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    found = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]
    return ((x509.CertificatePolicies(found), False),)


def test_identifiers_tie_a_certificate_to_its_issuer() -> None:
    root = pki.issue(pki.Options(common_name="Root", ca=True))
    leaf, above = facts(pki.Options(names=("a.test",)), root), read_certificate(root.der)
    assert leaf.aki_hex == above.ski_hex is not None
    assert leaf.ski_hex not in {None, leaf.aki_hex}
    bare = facts(pki.Options(key_identifiers=False, key_usage=False, basic_constraints=False))
    assert (bare.ski_hex, bare.aki_hex, bare.key_usage, bare.path_length) == (None, None, None, None)


def test_what_a_ca_may_do() -> None:
    names = x509.NameConstraints([x509.DNSName("test")], None)
    ca = facts(pki.Options(common_name="CA", ca=True, path_length=0, extensions=((names, True),)))
    assert (ca.path_length, ca.name_constraints, ca.version) == (0, True, 3)
    assert ca.key_usage == ("digitalSignature", "keyCertSign", "cRLSign")
    assert (facts(pki.Options()).name_constraints, facts(pki.Options()).ct_poison) == (False, False)


def test_poison_and_pointers() -> None:
    poisoned = pki.Options(ca_issuers_url="http://ca.test/", extensions=((x509.PrecertPoison(), True),))
    assert (facts(poisoned).ct_poison, facts(poisoned).ca_issuer_urls) == (True, ("http://ca.test/",))


@pytest.mark.parametrize(
    ("oids", "validation"),
    [
        (("2.23.140.1.2.1", "1.3.6.1.4.1.44947.1.1.1"), Validation.DOMAIN),
        (("2.23.140.1.2.2",), Validation.ORGANISATION),
        (("1.2.3.4", "2.23.140.1.1"), Validation.EXTENDED),
        (("2.23.140.1.2.3",), Validation.INDIVIDUAL),
        (("1.2.3.4",), None),
    ],
)
def test_policies(oids: tuple[str, ...], validation: Validation | None) -> None:
    found = facts(pki.Options(extensions=policy(*oids)))
    assert (found.policies, found.validation) == (oids, validation)


def test_lists_are_capped() -> None:
    found = facts(pki.Options(extensions=policy(*(f"1.2.3.{number}" for number in range(50)), "2.23.140.1.1")))
    assert (len(found.policies), found.validation) == (10, Validation.EXTENDED)


@pytest.mark.parametrize(
    ("begins", "lasts", "short"),
    [
        (AFTER, WEEK - timedelta(seconds=1), True),
        (AFTER, WEEK, False),  # both ends count
        (BEFORE, WEEK, True),
        (BEFORE, timedelta(days=10), False),
        (datetime(2023, 1, 1, tzinfo=UTC), timedelta(days=1), False),
    ],
)
def test_short_lived_as_the_baseline_requirements_say(begins: datetime, lasts: timedelta, short: bool) -> None:
    assert facts(pki.Options(not_before=begins, lifetime=lasts)).short_lived is short


def test_a_weak_key_is_hinted_at() -> None:
    key = rsa.generate_private_key(3, 1024)
    assert facts(pki.Options(key=key)).weak_key == ("rsa-exponent-small",)
