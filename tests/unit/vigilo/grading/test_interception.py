from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes import pki
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import Finding, FindingLevel
from vigilo.grading.card import grade_snapshot
from vigilo.grading.interception import interception
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC)
PUBLIC = pki.Authority.create("Public")
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test-roots", (PUBLIC.root.certificate,))))


@pytest.mark.parametrize(
    ("issuer", "product"),
    [
        ("CN=TLS_AGENT", "a TLS-terminating proxy"),
        ("CN=proxy,O=TLS_AGENT,C=US", "a TLS-terminating proxy"),
        ("CN=Zscaler Intermediate Root CA (zscaler.net) (t) ,OU=Zscaler Inc.,O=Zscaler Inc.,C=US", "Zscaler"),
        ("CN=FG6H0FTB22903890,OU=Certificate Authority,O=Fortinet,L=Sunnyvale,C=US", "Fortinet FortiGate"),
        ("CN=Kaspersky Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab", "Kaspersky"),
        ("CN=Superfish\\, Inc.,O=Superfish\\, Inc.,C=US", "Superfish"),
        ("CN=eDellRoot", "Dell eDellRoot"),
    ],
)
def test_listed_issuers_are_named(issuer: str, product: str) -> None:
    found = interception(issuer, trusted_by_nobody=True)
    assert found is not None
    assert found.product == product
    assert issuer in found.evidence
    assert interception(issuer, trusted_by_nobody=False) is None


@pytest.mark.parametrize(
    "issuer",
    ["", "CN=Acme Internal CA", "CN=not TLS_AGENT at all", "CN=support,OU=Certificate Authority,O=Fortinet", "CN=FG"],
)
def test_others_are_not(issuer: str) -> None:
    assert interception(issuer, trusted_by_nobody=True) is None


def test_one_issuer_for_unrelated_domains() -> None:
    assert interception("CN=x", trusted_by_nobody=True, unrelated_domains=2) is None
    assert interception("CN=x", trusted_by_nobody=True, unrelated_domains=3) is not None


def line(leaf: pki.Issued) -> Finding | None:
    card = grade_snapshot(snapshot(leaf.chain_der, at=NOW), leaf.chain_der, judge=JUDGE, at=NOW)
    return next((finding for finding in card.findings if finding.rule == "house.interception"), None)


def test_the_card_says_who_seems_to_answer_and_loses_nothing_for_it() -> None:
    finding = line(
        pki.issue(pki.Options(names=("api.acme.test",)), pki.issue(pki.Options(common_name="TLS_AGENT", ca=True)))
    )
    assert finding is not None
    assert (finding.level, finding.cap) == (FindingLevel.INFO, None)
    assert "CN=TLS_AGENT" in finding.evidence


def test_a_trusted_or_merely_expired_certificate_is_nobodys_proxy() -> None:
    agent = pki.issue(pki.Options(common_name="TLS_AGENT", ca=True), PUBLIC.root)
    good = pki.issue(pki.Options(names=("api.acme.test",)), agent)
    late = pki.Options(names=("api.acme.test",), not_before=NOW - timedelta(days=9), lifetime=timedelta(days=1))
    assert line(good) is None
    assert line(pki.issue(late, agent)) is None
    assert line(PUBLIC.leaf("api.acme.test")) is None
