"""The facts on a card that alert rules use: keys, signatures, versions, staples. And what rules learn from cards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.inputs import posture
from tests.fakes.pki import Authority, Issued, Options, ec_key, ed25519_key, rsa_key
from tests.fakes.snapshots import failed, scan_id, snapshot
from vigilo.alerting.knowledge import Knowledge, learn
from vigilo.events.cards import ReportCard
from vigilo.events.facts import CertificateFacts, CertificateStatus, KeyAlgorithm, StapleFacts, WeakKeyHint
from vigilo.events.posture import Posture, PostureOrigin, PostureSource, Support, VersionPosture
from vigilo.events.scans import Depth, Outcome
from vigilo.grading.card import grade_snapshot, path_certificate
from vigilo.grading.staple import wants_staple
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores
from vigilo.tls.posture.merge import merge

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create("Facts")
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,))))
DIGEST = "a1" * 32


def card_of(leaf: Issued, *, at: datetime = NOW, number: int = 1, **fields: Any) -> ReportCard:
    served = leaf.chain_der
    return grade_snapshot(snapshot(served, at=at, number=number, **fields), served, judge=JUDGE, at=at)


def leaf(**options: Any) -> Issued:
    return AUTHORITY.leaf("api.acme.test", options=Options(**options))


LEAF = leaf()


def test_keys_and_signatures_have_the_names_of_the_facts() -> None:
    kinds = [(rsa_key(1024), "rsa", 1024), (ec_key(), "ec", 256), (ed25519_key(), "ed25519", 256)]
    for key, algorithm, bits in kinds:
        first, *others = card_of(leaf(key=key)).path
        assert (first.key_algorithm, first.key_bits) == (algorithm, bits)
        assert first.signature_algorithm == "ecdsa-with-SHA256"
        assert others


def test_a_key_of_another_kind_is_named_by_its_kind_and_an_unread_one_not_at_all() -> None:
    post_quantum = CertificateFacts(fingerprint_sha256=DIGEST, key_detail="ML-DSA-65")
    assert path_certificate(post_quantum).key_algorithm == "ML-DSA-65"
    unread = path_certificate(CertificateFacts(fingerprint_sha256=DIGEST, parse_error="no certificate"))
    assert (unread.key_algorithm, unread.key_bits, unread.signature_algorithm) == (None, None, None)
    weak = CertificateFacts(
        fingerprint_sha256=DIGEST, key_algorithm=KeyAlgorithm.RSA, key_bits=2048, weak_key=(WeakKeyHint.ROCA,)
    )
    assert path_certificate(weak).weak_key == (WeakKeyHint.ROCA,)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({}, False),
        ({"ocsp_urls": ("http://ocsp.acme.test/",)}, True),
        ({"must_staple": True}, True),
        ({"parse_error": "extensions"}, None),
        ({"parse_error": "names", "must_staple": True}, True),
    ],
)
def test_a_staple_is_wanted_by_who_names_a_responder_or_must_staple(facts: dict[str, Any], wanted: bool | None) -> None:
    assert wants_staple(CertificateFacts(fingerprint_sha256=DIGEST, **facts)) is wanted


def test_the_card_says_whether_a_staple_is_wanted() -> None:
    assert card_of(LEAF).staple_wanted is False
    assert card_of(leaf(ocsp_url="http://ocsp.acme.test/")).staple_wanted is True
    assert card_of(leaf(must_staple=True)).staple_wanted is True


def test_without_a_posture_only_the_version_spoken_is_known() -> None:
    card = card_of(LEAF, tls_version="TLSv1.2")
    assert (card.versions_accepted, card.versions_rejected) == (("TLSv1.2",), ())
    unspoken = card_of(LEAF, tls_version=None)
    assert (unspoken.versions_accepted, unspoken.versions_rejected) == ((), ())


def test_a_posture_tells_what_is_accepted_and_what_is_not() -> None:
    card = card_of(LEAF, posture=posture(accepted=("TLSv1.0", "TLSv1.2", "TLSv1.3")))
    assert card.versions_accepted == ("TLSv1.0", "TLSv1.2", "TLSv1.3")
    assert card.versions_rejected == ("SSLv3", "TLSv1.1")


def test_a_version_of_which_the_posture_knows_nothing_is_in_neither_list() -> None:
    unclear = Posture(
        versions=(
            VersionPosture(version="SSLv2", support=Support.UNKNOWN),
            VersionPosture(version="TLSv1.2", support=Support.REJECTED),
        )
    )
    card = card_of(LEAF, posture=unclear)
    assert (card.versions_accepted, card.versions_rejected) == (("TLSv1.3",), ("TLSv1.2",))


def test_what_a_throttling_server_refused_was_not_rejected() -> None:
    card = card_of(LEAF, posture=posture().model_copy(update={"throttled": True}))
    assert (card.versions_accepted, card.versions_rejected) == (("TLSv1.2", "TLSv1.3"), ())


def test_of_several_addresses_any_accepts_and_all_reject() -> None:
    old, new = posture(accepted=("TLSv1.0", "TLSv1.2")), posture(accepted=("TLSv1.2", "TLSv1.3"))
    card = card_of(LEAF, posture=merge((old, new)), address_postures=(old, new))
    assert card.versions_accepted == ("TLSv1.0", "TLSv1.2", "TLSv1.3")
    assert card.versions_rejected == ("SSLv3", "TLSv1.1")


def test_the_handshake_itself_is_believed_before_the_posture() -> None:
    card = card_of(LEAF, posture=posture(accepted=("TLSv1.2",)), tls_version="TLSv1.3")
    assert card.versions_accepted == ("TLSv1.2", "TLSv1.3")
    assert "TLSv1.3" not in card.versions_rejected


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_a_failed_scan_tells_nothing_of_all_this(outcome: Outcome) -> None:
    card = grade_snapshot(failed(outcome), None, judge=JUDGE, at=NOW)
    assert (card.staple_wanted, card.versions_accepted, card.versions_rejected, card.path) == (None, (), (), ())


def test_a_hundred_scans_of_an_unchanged_host_teach_one_thing() -> None:
    stapled = leaf(ocsp_url="http://ocsp.acme.test/")
    origin = PostureOrigin(source=PostureSource.MEASURED, scan_id=scan_id(0), measured_at=NOW, checked_at=NOW)
    known: Knowledge | None = None
    taught = set()
    for number in range(100):
        at = NOW + number * timedelta(minutes=5)
        depth = (Depth.FULL, Depth.LIGHT, Depth.POSTURE)[number % 3]
        source = (PostureSource.MEASURED, PostureSource.CARRIED, PostureSource.CHECKED)[number % 3]
        moved = {"source": source, "checked_at": at}
        card = card_of(
            stapled,
            at=at,
            number=number,
            depth=depth,
            address=f"192.0.2.{number}",
            posture=posture().model_copy(update={"duration_ms": number, "connections": number}),
            posture_origin=origin.model_copy(update=moved),
            staple=StapleFacts(
                present=True,
                certificate_status=CertificateStatus.GOOD,
                matches_leaf=True,
                this_update=at - timedelta(hours=1),
                next_update=at + timedelta(days=3),
            ),
        )
        known = learn(known, card)
        taught.add(known.model_dump_json())
    assert len(taught) == 1
