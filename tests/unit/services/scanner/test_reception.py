"""When a server is doubted, and when it is left alone."""

from __future__ import annotations

from services.scanner.reception import Reception
from vigilo.tls.posture.answers import Chosen, Refused, Unclear
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.server_hello import ServerHello

HELLO = ServerHello(code.TLS12, 0xC02F, 0, retry=False, extensions={}, group=None, alpn=None)
TAKEN = Chosen(Offer(code.TLS12, (0xC02F,)), HELLO)
LEFT, SILENT = Unclear("hung up", left=True), Unclear("no answer in time", silent=True)


def received(*, taken: bool) -> Reception:
    reception = Reception()
    if taken:
        reception.note_connection(TAKEN)
        reception.note_answer(TAKEN)
    return reception


def test_doubt_comes_after_five_in_a_row_and_only_where_it_can_be_settled() -> None:
    for taken in (True, False):
        reception = received(taken=taken)
        for _ in range(4):
            reception.note_connection(LEFT)
            assert not reception.is_doubtful
        reception.note_connection(SILENT)
        assert reception.is_doubtful is taken
        reception.note_connection(Refused(alert=40))
        assert not reception.is_doubtful


def test_who_takes_what_it_took_before_may_go_on_hanging_up() -> None:
    reception = received(taken=True)
    for _ in range(20):
        for _ in range(2):
            reception.note_connection(LEFT)
        reception.note_answer(Refused())
        if reception.is_doubtful:
            reception.note_reassurance(TAKEN)
        assert not reception.is_over
    assert reception.says_no


def test_who_does_not_is_left_alone() -> None:
    reception = received(taken=True)
    reception.note_reassurance(LEFT)
    assert reception.is_over


def test_strangers_who_answer_nothing_are_left_alone_sooner() -> None:
    for taken, patience in ((True, 8), (False, 4)):
        reception = received(taken=taken)
        for _ in range(patience - 1):
            reception.note_connection(SILENT)
        assert not reception.is_over
        reception.note_connection(SILENT)
        assert reception.is_over


def test_refusals_are_believed_of_who_speaks() -> None:
    assert not Reception().says_no
    spoken = Reception()
    spoken.note_answer(Refused(alert=40))
    assert spoken.says_no
    spoken.note_answer(Refused())
    assert not spoken.says_no
