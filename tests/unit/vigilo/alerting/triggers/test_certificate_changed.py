"""Which changes of a certificate are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.fakes.inputs import LEAF, NOON, OTHER_LEAF, host
from tests.unit.vigilo.alerting.sights import certificate, view, well
from vigilo.alerting import messages
from vigilo.alerting.triggers.certificate_changed import notices, same_organisation, surprises
from vigilo.events.cards import CertificateChange, ChangeKind, Unexpected
from vigilo.events.triggers import CertificateChanged

ANY, UNEXPECTED = CertificateChanged(which="any"), CertificateChanged(which="unexpected")
SCAN = UUID("0190a000-0000-7000-8000-0000000000cc")
R10, R11 = "CN=R10,O=Let's Encrypt,C=US", "CN=R11,O=Let's Encrypt,C=US"
OTHER = "CN=Other CA,O=Other\\, Inc.,C=US"


def change(*unexpected: Unexpected, old: str = R10, new: str = R11, **changes: Any) -> CertificateChange:
    """The leaf was replaced."""
    fields: dict[str, Any] = {
        "scan_id": SCAN,
        "target": host().target(),
        "requested_at": NOON,
        "old": certificate(fingerprint_sha256=OTHER_LEAF, issuer=old),
        "new": certificate(fingerprint_sha256=LEAF, issuer=new),
        "issuer_changed": old != new,
        "unexpected": unexpected,
    }
    return CertificateChange(**{**fields, **changes})


def test_a_renewal_is_told_only_to_who_wants_every_change() -> None:
    assert notices(ANY, change())
    assert not notices(UNEXPECTED, change())
    assert notices(UNEXPECTED, change(Unexpected.KEY_WEAKER))


def test_other_intermediates_under_the_same_leaf_are_no_change_of_certificate() -> None:
    assert not notices(ANY, change(kind=ChangeKind.CHAIN))


def test_another_intermediate_of_the_same_ca_is_expected() -> None:
    rotated = change(Unexpected.ISSUER_CHANGED)
    assert not notices(UNEXPECTED, rotated)
    assert notices(ANY, rotated)
    assert surprises(change(Unexpected.ISSUER_CHANGED, Unexpected.NAME_LOST)) == (Unexpected.NAME_LOST,)
    assert notices(UNEXPECTED, change(Unexpected.ISSUER_CHANGED, new=OTHER))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (R10, "CN=E5,O=Let's Encrypt,C=US", True),
        ("CN=A,O=DigiCert Inc,C=US", "CN=B,O=DigiCert\\, Inc.,C=US", True),
        ("O=Example,CN=A", "CN=B+O=EXAMPLE", True),
        (R10, OTHER, False),
        ("CN=A", "CN=B", False),
        ("CN=A,O=", "CN=B,O=", False),
        ("CN=A,O=...", "CN=B,O=!!!", False),
        ("CN=x\\,O=Let's Encrypt", R10, False),
        ("CN=x\\\\,O=Let's Encrypt", R10, True),
        ("2.5.4.10=Let's Encrypt", R10, False),
        ("", "", False),
    ],
)
def test_organisations_are_compared_by_letters_and_digits(one: str, other: str, same: bool) -> None:
    assert same_organisation(one, other) is same
    assert same_organisation(other, one) is same


def test_a_notice_says_what_a_renewal_would_not_have_done() -> None:
    told = change(
        Unexpected.ISSUER_CHANGED,
        Unexpected.NAME_LOST,
        Unexpected.KEY_WEAKER,
        Unexpected.REPLACED_EARLY,
        new=OTHER,
        names_lost=("a.example", "b.example", "c.example"),
        names_lost_count=3,
        old_key="ec 256",
        new_key="rsa 1024",
        days_left_of_old=61.4,
    )
    assert messages.notice_summary(view(None), told) == (
        "shop.example:443: certificate changed: issuer changed from CN=R10,O=Let's Encrypt,C=US to "
        "CN=Other CA,O=Other\\, Inc.,C=US, 3 names lost (a.example, b.example ...), "
        "key weaker (ec 256, now rsa 1024), replaced 61 days before its end; "
        "the new one expires 2027-01-22 12:00 UTC"
    )
    assert messages.notice_summary(view(None), change()) == (
        "shop.example:443: certificate changed: renewed; the new one expires 2027-01-22 12:00 UTC"
    )


def test_a_notice_quotes_both_certificates_and_names_only_of_the_new_one() -> None:
    told = change(Unexpected.ISSUER_CHANGED, Unexpected.NAME_LOST, new=OTHER)
    quoted = messages.notice_facts(view(well(path=(told.new,))), told, at=NOON + timedelta(days=1))
    assert (quoted.fingerprint_sha256, quoted.old_fingerprint_sha256) == (LEAF, OTHER_LEAF)
    assert (quoted.days_left, quoted.scan_id, quoted.names) == (59.0, SCAN, ("shop.example",))
    assert quoted.unexpected == (Unexpected.ISSUER_CHANGED, Unexpected.NAME_LOST)
    behind = messages.notice_facts(view(well(path=(told.old,))), told, at=NOON)
    assert (behind.names, behind.names_count) == ((), 0)


def test_hostile_names_stay_one_harmless_line() -> None:
    evil = "CN=x\n\x1b[31m<!channel>\u202e" + "y" * 600
    told = messages.notice_summary(view(None), change(Unexpected.ISSUER_CHANGED, new=evil))
    assert told.isprintable()
    assert len(told) <= 512
