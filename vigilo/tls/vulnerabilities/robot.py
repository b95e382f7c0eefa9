"""ROBOT (Boeck, Somorovsky, Young, 2018): servers that tell right RSA PKCS #1 paddings from wrong ones. Pure.

Five key exchanges (RFC 5246 section 7.4.7.1), one well-formed and four broken each in its own way, followed by a
Finished that nobody can decrypt. All five must be answered alike. A difference counts when all five, asked once more,
are answered as before; silence or a reset is never a difference: that is weather. Nothing is decrypted; the secrets
are our own random bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vigilo.tls.der import BIT_STRING, INTEGER, SEQUENCE, NotDer, elements, only
from vigilo.tls.vulnerabilities.exchange import Say, Script, Unclear
from vigilo.tls.vulnerabilities.finding import Finding, safe, unknown, vulnerable
from vigilo.tls.vulnerabilities.flight import hear_flight
from vigilo.tls.vulnerabilities.listening import Ended, Event
from vigilo.tls.wire.alerts import alert_name
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.reading import numbers, vector
from vigilo.tls.wire.records import FatalAlert

RANDOM_BYTES = 2048 + 128  # what one message may need at most
MODULUS_BITS = range(1024, 16385)  # larger ones cost us more than the answer is worth, smaller ones hold no secret
_EXPONENT_BITS_MAX = 64
_SECRET_BYTES = 48
_CONTEXT_0 = 0xA0
_CLIENT_KEY_EXCHANGE = 16
_CHANGE_CIPHER_SPEC, _HANDSHAKE = 20, 22
_FINISHED_BYTES = 64
_WRONG_VERSION = b"\x02\x02"


@dataclass(frozen=True, slots=True)
class RsaKey:
    """A public key."""

    modulus: int
    exponent: int

    @property
    def octets(self) -> int:
        """The length of what it encrypts."""
        return (self.modulus.bit_length() + 7) // 8


def read_rsa_key(certificate: bytes) -> RsaKey:
    """The RSA key of a DER certificate, of a size we compute with. Raises NotDer."""
    fields = list(elements(only(only(certificate, SEQUENCE).content, SEQUENCE).content))
    spki = fields[6 if fields and fields[0].tag == _CONTEXT_0 else 5 :][:1]
    if not spki:
        raise NotDer("a certificate without a key")
    parts = list(elements(spki[0].content))
    if len(parts) != 2 or parts[1].tag != BIT_STRING:
        raise NotDer("a key of another kind")
    integers = list(elements(only(parts[1].content[1:], SEQUENCE).content))
    if [one.tag for one in integers] != [INTEGER, INTEGER]:
        raise NotDer("no RSA key")
    modulus, exponent = (int.from_bytes(one.content, "big") for one in integers)
    if modulus.bit_length() not in MODULUS_BITS or exponent.bit_length() > _EXPONENT_BITS_MAX:
        raise NotDer("an RSA key of odd size")
    return RsaKey(modulus, exponent)


def paddings(octets: int, version: int, random: bytes) -> tuple[bytes, ...]:
    """The five blocks for a modulus of so many octets, the well-formed one first. `random`: RANDOM_BYTES."""
    fill = bytes(byte or 1 for byte in random)
    secret = fill[: _SECRET_BYTES - 2]
    rest = fill[_SECRET_BYTES:]
    plain = octets - 3 - _SECRET_BYTES
    version_bytes = numbers((version,))
    return (
        b"\x00\x02" + rest[:plain] + b"\x00" + version_bytes + secret,
        b"\x41\x17" + rest[:plain] + b"\x00" + version_bytes + secret,
        b"\x00\x02" + rest[: octets - 4] + b"\x00\x11",
        b"\x00\x02" + rest[: octets - 2],
        b"\x00\x02" + rest[:plain] + b"\x00" + _WRONG_VERSION + secret,
    )


VARIANTS = 5


def probe_robot(hello: bytes, offer: Offer, *, variant: int, random: bytes) -> Script[str]:
    """The server's answer to one variant, in words. `hello` offers static RSA only. Raises Unclear, for silence too."""
    flight = yield from hear_flight(hello, offer)
    try:
        key = read_rsa_key(flight.leaf or b"")
    except NotDer as flaw:
        raise Unclear(f"no RSA key to ask with: {flaw}") from flaw
    block = paddings(key.octets, offer.version, random)[variant]
    encrypted = pow(int.from_bytes(block, "big"), key.exponent, key.modulus).to_bytes(key.octets, "big")
    return _answer((yield Say(_messages(offer.version, encrypted, random[-_FINISHED_BYTES:]))))


def _messages(version: int, encrypted: bytes, finished: bytes) -> bytes:
    exchange = bytes((_CLIENT_KEY_EXCHANGE,)) + vector(3, vector(2, encrypted))
    records = ((_HANDSHAKE, exchange), (_CHANGE_CIPHER_SPEC, b"\x01"), (_HANDSHAKE, finished))
    return b"".join(bytes((kind,)) + numbers((version,)) + vector(2, content) for kind, content in records)


def _answer(event: Event) -> str:
    if isinstance(event, FatalAlert):
        return f"the alert {alert_name(event.description)}"
    if isinstance(event, Ended):
        if event.left:
            return "closing"
        raise Unclear(f"{event.how} after a key exchange")
    return "going on"


def judge_first(answers: Sequence[str]) -> Finding | None:
    """The finding after the first round, an answer for each variant; None when it has to be repeated."""
    if len(set(answers)) == 1:
        return safe(f"answers right and wrong paddings alike, with {answers[0]}")
    return None


# Of the second round: no variant keeps its place, nor does any group of them, so that five servers which take turns
# behind one address do not look like one that tells paddings apart.
AGAIN = (3, 0, 4, 2, 1)


def judge_again(answers: Sequence[str], again: Mapping[int, str]) -> Finding:
    """The finding after a second round, by variant: all five must be answered as before, or a difference is chance."""
    if len(again) == VARIANTS and all(answers[variant] == answer for variant, answer in again.items()):
        return vulnerable(f"tells right paddings from wrong ones: {' or '.join(dict.fromkeys(answers))}")
    return unknown("answered the same key exchange differently: several servers behind one address?")
