"""What a client offers in its first message."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Client:
    """A client as its ClientHello shows it: everything in its own order of preference.

    `versions` are ours ("TLSv1.2"), newest first; `suites` and `groups` IANA names, GREASE (RFC 8701) and signalling
    values left out; `schemes` the code points of its signature algorithms. `dh_bits` is the shortest and the longest DH
    prime it takes, None = any. `reference`: the rating guide expects good security of it. `source` tells where its
    offer was read, `second_hand` that nobody of us recorded it.
    """

    name: str
    versions: tuple[str, ...]
    suites: tuple[str, ...]
    groups: tuple[str, ...]
    schemes: tuple[int, ...]
    alpn: tuple[str, ...] = ()
    sni: bool = True
    dh_bits: tuple[int | None, int | None] = (None, None)
    reference: bool = False
    source: str = ""
    second_hand: bool = True

    @cached_property
    def rank(self) -> dict[str, int]:
        """Each suite's place in the client's order, from 0."""
        return {suite: place for place, suite in enumerate(self.suites)}
