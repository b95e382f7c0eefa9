"""Writes answers down, so that an enumeration can go on in another scan: strategies are replayed, not asked. Pure.

An answer is a few words: `c` chosen, `r` refused, `u` unclear. The offer itself is not kept: whoever asks again has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from vigilo.events.posture import Support
from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.server_hello import ServerHello

SSL2_KEY = "ssl2"
_KEY_BYTES = 6
_EXTENSIONS_MAX = 30
_ALPN_MAX = 16
_NONE = "-"
_LEFT_ONCE, _UNCLEAR_ONCE, _UNCLEAR = "left", "u1", "u"


def key_of(offer: Offer) -> str:
    """The same for the same offer in every process."""
    content = (offer.version, offer.suites, offer.groups, offer.alpn, offer.share, offer.plain)
    return hashlib.blake2b(repr(content).encode(), digest_size=_KEY_BYTES).hexdigest()


@dataclass(slots=True)
class Memory:
    """What is known of the answers so far. `answers` is what a Transcript holds."""

    answers: dict[str, str] = field(default_factory=dict)

    def recall(self, offer: Offer) -> Answer | None:
        """The answer given before; None when the question has to be asked (once more)."""
        return read_answer(offer, self.answers.get(key_of(offer), ""))

    def was_left(self, offer: Offer) -> bool:
        """True when the server hung up at this offer, once so far."""
        return self.answers.get(key_of(offer)) == _LEFT_ONCE

    def note(self, offer: Offer, answer: Answer) -> None:
        """Keeps an answer. What stays unclear twice is not asked a third time."""
        key = key_of(offer)
        if isinstance(answer, Unclear) and answer.left:
            self.answers[key] = _LEFT_ONCE
        elif isinstance(answer, Unclear):
            self.answers[key] = _UNCLEAR if self.answers.get(key) == _UNCLEAR_ONCE else _UNCLEAR_ONCE
        else:
            self.answers[key] = write_answer(answer)

    def recall_ssl2(self) -> Support | None:
        """What was answered to SSL 2's hello."""
        text = self.answers.get(SSL2_KEY)
        return Support(text) if text in set(Support) else None

    def note_ssl2(self, support: Support) -> None:
        """Keeps that answer; an unclear one only when it was so before."""
        again = SSL2_KEY in self.answers
        self.answers[SSL2_KEY] = _UNCLEAR_ONCE if support is Support.UNKNOWN and not again else support.value


def write_answer(answer: Chosen | Refused) -> str:
    """One line of at most some 150 characters."""
    if isinstance(answer, Refused):
        return f"r {_number(answer.alert)} {_number(answer.older_version)}"
    hello = answer.hello
    words = (
        f"{hello.version:x}",
        f"{hello.suite:x}",
        f"{hello.compression:x}",
        f"{hello.retry:d}{answer.foreign_group:d}",
        _number(hello.group),
        _number(answer.group),
        _number(answer.dh_bits),
        _NONE if hello.alpn is None else f"={hello.alpn[:_ALPN_MAX].hex()}",
        ",".join(f"{kind:x}" for kind in sorted(hello.extensions)[:_EXTENSIONS_MAX]) or _NONE,
    )
    return "c " + " ".join(words)


def read_answer(offer: Offer, text: str) -> Answer | None:
    """What was written, as the answer to this offer; None for anything else. Raises nothing."""
    kind, *words = text.split(" ")
    try:
        match kind, words:
            case "r", [alert, older_version]:
                return Refused(_read(alert), _read(older_version))
            case "c", [*_] if len(words) == 9:
                return _read_chosen(offer, words)
            case "u", []:
                return Unclear("stayed unclear in two scans")
    except ValueError:
        pass
    return None


def _read_chosen(offer: Offer, words: list[str]) -> Chosen:
    version, suite, compression, flags, hello_group, group, dh_bits, alpn, kinds = words
    extensions: Mapping[int, bytes] = {} if kinds == _NONE else {int(kind, 16): b"" for kind in kinds.split(",")}
    hello = ServerHello(
        version=int(version, 16),
        suite=int(suite, 16),
        compression=int(compression, 16),
        retry=flags[:1] == "1",
        extensions=extensions,
        group=_read(hello_group),
        alpn=None if alpn == _NONE else bytes.fromhex(alpn.removeprefix("=")),
    )
    return Chosen(offer, hello, group=_read(group), dh_bits=_read(dh_bits), foreign_group=flags[1:] == "1")


def _number(value: int | None) -> str:
    return _NONE if value is None else f"{value:x}"


def _read(word: str) -> int | None:
    return None if word == _NONE else int(word, 16)
