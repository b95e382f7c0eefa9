"""One connection's bytes to one answer: a choice that was not offered is never one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.tls_bytes import ecdhe_exchange, hello_record, message, record, retry_record
from vigilo.events.posture import Posture, Support
from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.posture.below_tls13 import GroupsFound, VersionFound
from vigilo.tls.posture.describe import Found, describe_posture
from vigilo.tls.posture.hearing import Hearing
from vigilo.tls.posture.tls13 import Tls13Found
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer

ECDHE, STATIC, DHE = 0xC02F, 0x002F, 0x0033
TLS12 = Offer(code.TLS12, (ECDHE, STATIC, DHE), (29, 23))
TLS13 = Offer(code.TLS13, (0x1301,), (29, 0x11EC))


def heard(offer: Offer, *pieces: bytes) -> Answer:
    hearing = Hearing(offer)
    for piece in pieces:
        answer = hearing.feed(piece)
        if answer is not None:
            return answer
    return hearing.ended("hung up")


@given(st.lists(st.binary(max_size=200), max_size=10), st.sampled_from([TLS12, TLS13]))
def test_any_bytes_give_an_answer_within_the_offer(pieces: list[bytes], offer: Offer) -> None:
    answer = heard(offer, *pieces)
    if isinstance(answer, Chosen):
        assert answer.suite in offer.suites


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_only_what_was_offered_is_ever_accepted(version: int, suite: int) -> None:
    answer = heard(TLS12, hello_record(version, suite))
    assert isinstance(answer, Chosen) == (version == code.TLS12 and suite in TLS12.suites)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_only_groups_that_were_offered_are_accepted(suite: int, group: int) -> None:
    answer = heard(TLS13, retry_record(suite, group))
    assert isinstance(answer, Chosen) == (suite in TLS13.suites and group in TLS13.groups)


def test_a_static_suite_is_an_answer_at_once() -> None:
    assert isinstance(heard(TLS12, hello_record(code.TLS12, STATIC)), Chosen)


def test_the_curve_is_waited_for() -> None:
    flight = record(22, message(11, bytes(40)) + message(12, ecdhe_exchange(23)))
    hearing = Hearing(TLS12)
    assert hearing.feed(hello_record(code.TLS12, ECDHE)) is None
    answer = hearing.feed(flight)
    assert isinstance(answer, Chosen)
    assert (answer.group, answer.foreign_group) == (23, False)


def test_a_curve_that_was_not_offered_does_not_count_but_its_suite_does() -> None:
    flight = hello_record(code.TLS12, ECDHE) + record(22, message(12, ecdhe_exchange(25)))
    answer = heard(TLS12, flight)
    assert isinstance(answer, Chosen)
    assert (answer.group, answer.foreign_group) == (None, True)


@pytest.mark.parametrize("after", [b"", b"HTTP", record(21, b"\x02\x28"), record(22, message(12, b"\x09"))])
def test_a_chosen_suite_stays_chosen_whatever_follows(after: bytes) -> None:
    answer = heard(TLS12, hello_record(code.TLS12, ECDHE), after)
    assert isinstance(answer, Chosen)
    assert (answer.suite, answer.group) == (ECDHE, None)


def test_what_comes_behind_an_alert_takes_nothing_from_it() -> None:
    """As MariaDB answers a hello it refuses: an alert, and at once its own error packet in the clear."""
    packet = bytes.fromhex("16000002ff1304") + b"#08S01Bad handshake"
    assert heard(TLS12, record(21, b"\x02\x46") + packet) == Refused(alert=70)


def test_an_older_version_is_a_refusal_and_a_newer_one_nothing() -> None:
    assert heard(TLS12, hello_record(code.TLS10, STATIC)) == Refused(older_version=code.TLS10)
    assert isinstance(heard(TLS12, hello_record(0x0305, STATIC)), Unclear)


def test_leaving_without_a_word_is_told_from_leaving_in_the_middle() -> None:
    assert heard(TLS12) == Unclear("hung up", left=True)
    assert heard(TLS12, b"\x16\x03") == Unclear("hung up")
    assert Hearing(TLS12).ended("no answer in time", silent=True) == Unclear("no answer in time", silent=True)


def test_a_hello_that_goes_on_without_a_key_share_is_nothing() -> None:
    extensions = {43: b"\x03\x04", 51: b"\x00\x1d"}
    assert isinstance(heard(TLS13, hello_record(code.TLS12, 0x1301, extensions=extensions)), Unclear)


def described(*, throttled: bool) -> Posture:
    template = Offer(code.TLS12, (ECDHE,), (29,), plain=True)
    versions = (
        VersionFound(code.TLS11, Support.REJECTED, complete=True),
        VersionFound(code.TLS12, Support.ACCEPTED, (ECDHE, 0x7A7A), complete=True, template=template),
    )
    tls13 = Tls13Found(VersionFound(code.TLS13, Support.REJECTED, complete=True))
    found = Found(versions, tls13, GroupsFound((29,), complete=True), throttled=throttled, believable=not throttled)
    return describe_posture(found, address="192.0.2.1", connections=3, duration_ms=4)


def test_a_posture_names_what_it_found() -> None:
    posture = described(throttled=False)
    assert posture.supporting(Support.REJECTED) == ("TLSv1.1", "TLSv1.3")
    assert posture.versions[1].suites == ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "0x7A7A")
    assert posture.groups_tls12 is not None
    assert (posture.groups_tls12.groups, posture.groups_tls12.complete) == (("x25519",), True)
    assert posture.notes == ("TLSv1.2: answers only short hellos with few extensions",)
    assert posture.compression is Support.UNKNOWN


def test_a_throttled_posture_rejects_nothing() -> None:
    posture = described(throttled=True)
    assert posture.supporting(Support.ACCEPTED) == ("TLSv1.2",)
    assert posture.supporting(Support.REJECTED) == ()
    assert not posture.versions[1].complete
    assert posture.groups_tls12 is not None
    assert not posture.groups_tls12.complete
