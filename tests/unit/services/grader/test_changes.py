"""What a certificate change tells, and what is none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from services.grader.rollouts import CONFIRMATIONS
from services.grader.state import STORED_CHAINS
from tests.fakes.pki import Authority, Issued, Options, rsa_key
from tests.fakes.snapshots import snapshot
from tests.unit.services.grader.hosts import AUTHORITY, NEW, NOW, OLD, Host, scan
from vigilo.events.cards import CertificateChange, ChangeKind, Unexpected
from vigilo.events.scans import Snapshot

ANOTHER = Authority.create("Another")


def cross_signed() -> x509.Certificate:
    """A second certificate of the name and key that issued OLD, by another root."""
    issuing = OLD.issuers[0]
    builder = x509.CertificateBuilder(
        issuer_name=ANOTHER.root.certificate.subject,
        subject_name=issuing.subject,
        public_key=issuing.public_key(),
        serial_number=7,
        not_valid_before=issuing.not_valid_before_utc,
        not_valid_after=issuing.not_valid_after_utc,
        extensions=list(issuing.extensions),
    )
    return builder.sign(ANOTHER.root.key, Options().hash)


CROSSED = Issued(OLD.certificate, OLD.key, (cross_signed(), ANOTHER.root.certificate))


def edited(given: Snapshot, version: int, **fields: Any) -> Snapshot:
    """The same answer, given to another version of the host's record."""
    return given.model_copy(update={"target": given.target.model_copy(update={"host_version": version, **fields})})


def change(old: Issued, new: Issued) -> CertificateChange:
    host = Host()
    host.sees(scan(old, 1))
    host.sees(scan(new, 2))
    (found,) = host.changes
    return found


def leaf(*names: str, key: Any = None, lifetime: int = 90) -> Issued:
    return AUTHORITY.leaf(*names, options=Options(key=key, lifetime=timedelta(days=lifetime)))


def test_names_beyond_the_cap_of_a_snapshot_are_compared_too() -> None:
    names = [f"n{number}.acme.test" for number in range(250)]
    found = change(leaf(*names, "last.acme.test"), leaf(*names, "newest.acme.test"))
    assert (found.names_added, found.names_lost) == (("newest.acme.test",), ("last.acme.test",))
    assert (found.names_added_count, found.names_lost_count) == (1, 1)


def test_the_lists_of_names_are_short_and_their_counts_are_not() -> None:
    found = change(leaf("a.test"), leaf("a.test", *(f"{'x' * 60}.n{number}.test" for number in range(1_000))))
    assert found.names_added_count == 1_000
    assert len(found.names_added) == 100
    assert (found.names_lost, found.names_lost_count) == ((), 0)


def test_names_that_differ_in_case_alone_are_the_same() -> None:
    found = change(leaf("API.acme.test"), leaf("api.acme.test"))
    assert (found.names_added_count, found.names_lost_count) == (0, 0)


def test_where_the_old_bytes_are_gone_names_are_unknown_and_not_unchanged() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    host.chains = type(host.chains)()
    host.sees(scan(NEW, 2))
    (found,) = host.changes
    assert (found.names_added_count, found.names_lost_count, found.key_reused, found.key_weaker) == (None,) * 4
    assert Unexpected.NAME_LOST not in found.unexpected


def test_the_hosts_own_chain_outlives_others_that_come_by() -> None:
    host = Host()
    host.sees(scan(OLD, 10))
    own = host.chains.chains[0]
    for number in range(STORED_CHAINS + 1):
        host.sees(scan(leaf(f"late{number}.test"), number))
    assert own in host.chains.chains


@pytest.mark.parametrize(
    ("before", "after", "weaker"),
    [
        (lambda: rsa_key(3072), lambda: rsa_key(2048), True),
        (lambda: rsa_key(2048), lambda: rsa_key(2048), False),
        (lambda: rsa_key(3072), lambda: ec.generate_private_key(ec.SECP256R1()), False),
        (lambda: ec.generate_private_key(ec.SECP384R1()), lambda: ec.generate_private_key(ec.SECP256R1()), False),
        (lambda: ec.generate_private_key(ec.SECP256R1()), lambda: rsa_key(2048), True),
    ],
)
def test_a_weaker_key_is_one_below_the_old_and_below_128_bits(before: Any, after: Any, weaker: bool) -> None:
    found = change(leaf("a.test", key=before()), leaf("a.test", key=after()))
    assert found.key_weaker is weaker
    assert (Unexpected.KEY_WEAKER in found.unexpected) is weaker


def test_keys_are_named() -> None:
    found = change(leaf("a.test", key=rsa_key()), leaf("a.test"))
    assert (found.old_key, found.new_key) == ("rsa 2048", "ec 256")


def test_a_renewal_near_the_end_is_nothing_unexpected() -> None:
    host = Host()
    host.sees(scan(leaf("a.test", lifetime=90), 1))
    host.sees(scan(leaf("a.test", lifetime=90), 2).model_copy(update={"requested_at": NOW + timedelta(days=70)}))
    assert host.changes[0].unexpected == ()


def test_another_issuer_early_with_a_name_lost_is_unexpected_three_times() -> None:
    found = change(OLD, ANOTHER.leaf("api.acme.test"))
    assert found.unexpected == (Unexpected.ISSUER_CHANGED, Unexpected.NAME_LOST, Unexpected.REPLACED_EARLY)
    assert (found.issuer_changed, found.issuer_key_changed, found.chain_changed) == (True, True, True)
    assert [one.subject for one in found.chain_lost] == [OLD.issuers[0].subject.rfc4514_string()]


def test_the_same_issuer_with_the_same_intermediates_changes_no_chain() -> None:
    found = change(OLD, NEW)
    assert (found.issuer_key_changed, found.chain_changed, found.chain_added, found.chain_lost) == (
        False,
        False,
        (),
        (),
    )


def test_other_intermediates_under_the_same_leaf_are_one_change_of_the_chain() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    for number in range(2, 2 + CONFIRMATIONS - 1):
        host.sees(scan(CROSSED, number))
    assert host.changes == []
    for number in range(10, 14):
        host.sees(scan(CROSSED, number))
    (found,) = host.changes
    assert found.kind is ChangeKind.CHAIN
    assert found.old == found.new
    assert [one.issuer for one in found.chain_added] == [ANOTHER.root.certificate.subject.rfc4514_string()]
    assert [one.issuer for one in found.chain_lost] == [AUTHORITY.root.certificate.subject.rfc4514_string()]
    assert found.unexpected == ()


def test_two_servers_with_different_intermediates_are_no_change() -> None:
    host = Host()
    for number in range(30):
        host.sees(scan(CROSSED if number % 3 else OLD, number))
    assert host.changes == []


def test_the_same_intermediates_in_another_order_are_no_change() -> None:
    doubled = (*OLD.chain_der, OLD.chain_der[1])
    host = Host()
    host.sees(scan(OLD, 1))
    for number in range(2, 8):
        host.sees(snapshot(doubled, at=NOW + timedelta(minutes=number), number=number))
    assert host.changes == []


@pytest.mark.parametrize("fields", [{"hostname": "other.test"}, {"port": 8443}, {"address": "192.0.2.9"}])
def test_an_edited_host_begins_anew(fields: dict[str, Any]) -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    host.sees(edited(scan(NEW, 2), 2, **fields))
    assert host.changes == []
    host.sees(edited(scan(OLD, 3), 2, **fields))
    assert len(host.changes) == 1


def test_a_row_of_before_issuers_and_peers_were_kept_goes_on() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    assert host.state is not None
    host.state = host.state.model_copy(update={"issuers": None, "peer": None, "host_version": None})
    host.sees(scan(NEW, 2))
    (found,) = host.changes
    assert (found.chain_changed, found.names_lost) == (None, ("old.acme.test",))


def test_an_edit_of_something_else_is_no_new_beginning() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    host.sees(edited(scan(NEW, 2), 2, trust="private"))
    assert len(host.changes) == 1


def test_a_scan_of_the_former_peer_that_was_asked_for_later_says_nothing() -> None:
    host = Host()
    host.sees(edited(scan(OLD, 1), 2, hostname="other.test"))
    host.sees(scan(NEW, 2))
    host.sees(edited(scan(OLD, 3), 2, hostname="other.test"))
    assert host.changes == []
    assert len(host.cards) == 3
