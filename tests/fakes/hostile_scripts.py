"""What hostile peers are made of: what they send, how they serve it, and what saves us from them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.hostile_server import HostileServer, Step
from tests.fakes.pki import Authority
from tests.fakes.relay import Relay
from tests.fakes.slow_link import slow_link
from tests.fakes.tls_bytes import ecdhe_exchange, hello_record, message, record, server_hello
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.scans import Outcome

AUTHORITY = Authority.create()
_DER = AUTHORITY.leaf("a.test").certificate.public_bytes(Encoding.DER)
LISTED = len(_DER).to_bytes(3, "big") + _DER
_CERTIFICATE = record(22, message(11, len(LISTED).to_bytes(3, "big") + LISTED))
HELLO = hello_record(0x0303, 0xC02F)
TO_CERTIFICATE = HELLO + _CERTIFICATE
TO_DONE = TO_CERTIFICATE + record(22, message(12, ecdhe_exchange(29))) + record(22, message(14, b""))
EXTENSIONS = {kind: bytes(20) for kind in range(1000, 1500)}
TWICE = server_hello(0x0303, 0xC02F, extensions={23: b""})[:-6] + b"\x00\x08" + b"\x00\x17\x00\x00" * 2

LONG_HELLO = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(0x3FFA)

KNOWN = "a chain that was served is known, whatever comes after it"
DEADLINE = "one absolute deadline for each connection, not for each read"
CAPS = "bytes are counted, and cut off at a cap"
TRIFLES = "at most 16 warnings, empty records and change_cipher_specs"
OFFERED = "nothing counts that was not offered"
STRICT = "our reader raises one error for whatever is malformed"
WORDS = "first bytes that begin no TLS record are a banner: named, cut, escaped"
LEFT = "each end has an outcome of its own and names the step"
AGAIN = "nothing is accepted twice; asked at most so often"

Serve = Callable[[ExitStack], int]


@dataclass(frozen=True, slots=True)
class Peer:
    """One behaviour. `ends` are the outcomes that a light scan may have; `accepts` what an enumeration may believe.

    Whatever it accepts or not, it is believed to refuse something only where `refuses` says so: by alerts, or by
    answering in an older version. `flood` marks those that send without end: what is held of them is measured.
    """

    name: str
    serve: Serve
    ends: tuple[Outcome, ...]
    defence: str
    accepts: frozenset[str] = frozenset()
    flood: bool = False
    refuses: bool = False


def scripted(*steps: Step) -> Serve:
    return lambda stack: stack.enter_context(HostileServer(steps)).port


def entered(make: Callable[[], AbstractContextManager[int]]) -> Serve:
    return lambda stack: stack.enter_context(make())


def tls(serving: Callable[[], Serving]) -> Serve:
    return lambda stack: stack.enter_context(TlsServer(serving())).port


def retry(group: int, times: int = 1) -> Callable[[bytes], bytes]:
    """A HelloRetryRequest that is in order but for its group: it echoes the session id (RFC 8446 section 4.1.4)."""

    def make(heard: bytes) -> bytes:
        extensions = {43: b"\x03\x04", 51: group.to_bytes(2, "big")}
        body = server_hello(0x0303, 0x1301, retry=True, extensions=extensions)
        session_id = heard[43 : 44 + heard[43]] if len(heard) > 43 else b"\x00"
        return record(22, message(2, body[:34] + session_id + body[35:])) * times

    return make


def many_names(count: int) -> Serving:
    return Serving(AUTHORITY.leaf(*(f"host-{number}.example.test" for number in range(count))))


def long_chain(count: int) -> Serving:
    leaf = AUTHORITY.leaf("a.test")
    return Serving(leaf, chain=[leaf.certificate, *[AUTHORITY.root.certificate] * (count - 1)])


def banning(stack: ExitStack) -> int:
    server = stack.enter_context(TlsServer(Serving(AUTHORITY.leaf("a.test"))))
    return stack.enter_context(Relay(server.port, ban_after=1)).port


def far_away(stack: ExitStack) -> int:
    server = stack.enter_context(TlsServer(Serving(AUTHORITY.leaf("a.test"))))
    return stack.enter_context(slow_link(server.port, round_trip_seconds=3.0))


TIMEOUT, CLOSED, RESET = (Outcome.TLS_TIMEOUT,), (Outcome.CLOSED,), (Outcome.RESET,)
FAILURE, ALERT, STRANGE = (Outcome.TLS_FAILURE,), (Outcome.TLS_ALERT,), (Outcome.NOT_TLS,)
TLS12, TLS13 = frozenset({"TLSv1.2"}), frozenset({"TLSv1.3"})
SSL2, SSL3 = frozenset({"SSLv2"}), frozenset({"SSLv3"})
ANY = frozenset({"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"})
