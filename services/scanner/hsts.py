"""GET / for the head of the answer: does the host tell browsers to stay with HTTPS?"""

from __future__ import annotations

from dataclasses import dataclass

from OpenSSL import SSL

from services.scanner.approach import Part
from services.scanner.connect import connect
from services.scanner.conversation import Conversation, ConversationOver
from services.scanner.handshake import shake_hands
from services.scanner.sightings import Address, Unsuccessful
from vigilo.events.facts import HstsFacts
from vigilo.tls.hsts import HEAD_MAX, Head, NotHttp, judge_head, read_head, request

USER_AGENT = "Vigilo/0.1 (TLS monitoring; reads the headers of one page)"


@dataclass(frozen=True, slots=True)
class Question:
    """Whom to ask. `host` is a name, never an IP literal (RFC 6797 section 8.3); `alpn` False = without it."""

    address: Address
    port: int
    host: str
    alpn: bool


async def ask_for_hsts(question: Question, context: SSL.Context, part: Part, *, deadline: float) -> HstsFacts:
    """One connection, one request; no body is waited for. `deadline` in the loop's time. Raises nothing but bugs."""
    alpn = (b"http/1.1",) if question.alpn else ()
    try:
        connection = await connect(question.address, question.port, deadline=deadline)
        conversation = None
        try:
            conversation = await shake_hands(connection, context, sni=question.host, alpn=alpn, deadline=deadline)
            return judge_head(await _head(conversation, question, deadline))
        finally:
            part(connection, conversation, None)
    except Unsuccessful as failure:
        return HstsFacts(parse_error=failure.detail)
    except (ConversationOver, NotHttp) as error:
        return HstsFacts(parse_error=str(error))
    except TimeoutError:
        return HstsFacts(parse_error="no answer in time")


async def _head(conversation: Conversation, question: Question, deadline: float) -> Head:
    await conversation.say(request(question.host, question.port, user_agent=USER_AGENT), deadline=deadline)
    received = b""
    while len(received) < HEAD_MAX:
        received += await conversation.hear(deadline=deadline)
        head = read_head(received[:HEAD_MAX])
        if head is not None:
            return head
    raise NotHttp(f"the answer's head is larger than {HEAD_MAX} bytes")
