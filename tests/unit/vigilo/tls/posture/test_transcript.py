"""Answers come back as they were written, and nothing else is taken for an answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigilo.events.posture import Support
from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.posture.transcript import Memory, key_of, read_answer, write_answer
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.server_hello import ServerHello

numbers = st.integers(0, 0xFFFF)
maybe = st.none() | numbers
offers = st.builds(
    Offer, numbers, st.lists(numbers, max_size=5).map(tuple), st.lists(numbers, max_size=3).map(tuple), st.booleans()
)
hellos = st.builds(
    ServerHello,
    version=numbers,
    suite=numbers,
    compression=st.integers(0, 255),
    retry=st.booleans(),
    extensions=st.lists(numbers, max_size=30, unique=True).map(lambda kinds: dict.fromkeys(kinds, b"")),
    group=maybe,
    alpn=st.none() | st.binary(max_size=16),
)
refusals = st.builds(Refused, st.none() | st.integers(0, 255), maybe)


@given(offers, hellos, maybe, maybe, st.booleans())
def test_a_choice_comes_back(
    offer: Offer, hello: ServerHello, group: int | None, dh_bits: int | None, foreign: bool
) -> None:
    answer = Chosen(offer, hello, group, dh_bits, foreign)
    assert read_answer(offer, write_answer(answer)) == answer


@given(offers, refusals)
def test_a_refusal_comes_back(offer: Offer, refusal: Refused) -> None:
    assert read_answer(offer, write_answer(refusal)) == refusal


@given(offers, st.text(max_size=80) | st.sampled_from(["c 1 2", "r x y", "r - -  ", "c a b c d e f g h i", "u 1"]))
def test_any_text_is_an_answer_or_none(offer: Offer, text: str) -> None:
    answer = read_answer(offer, text)
    assert answer is None or isinstance(answer, Answer)


@given(offers, offers)
def test_only_equal_offers_share_a_key(one: Offer, other: Offer) -> None:
    assert (key_of(one) == key_of(other)) is (one == other)


OFFER = Offer(0x0303, (0xC02F,), (29,))


def test_what_stays_unclear_twice_is_not_asked_again() -> None:
    memory = Memory()
    memory.note(OFFER, Unclear("silence", silent=True))
    assert memory.recall(OFFER) is None
    memory.note(OFFER, Unclear("silence", silent=True))
    assert isinstance(memory.recall(OFFER), Unclear)


def test_a_server_that_hung_up_is_asked_once_more() -> None:
    memory = Memory()
    memory.note(OFFER, Unclear("hung up", left=True))
    assert memory.was_left(OFFER)
    assert memory.recall(OFFER) is None
    memory.note(OFFER, Refused())
    assert memory.recall(OFFER) == Refused()


def test_ssl2_is_remembered_when_it_is_clear_or_unclear_twice() -> None:
    memory = Memory()
    memory.note_ssl2(Support.UNKNOWN)
    assert memory.recall_ssl2() is None
    memory.note_ssl2(Support.UNKNOWN)
    assert memory.recall_ssl2() is Support.UNKNOWN
    memory.note_ssl2(Support.REJECTED)
    assert memory.recall_ssl2() is Support.REJECTED
