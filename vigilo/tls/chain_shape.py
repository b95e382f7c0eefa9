"""How the certificates of a served chain hang together: by names and key identifiers, no signature is checked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from vigilo.events.facts import CertificateFacts, ChainShape
from vigilo.tls.certificate import REMEMBERED_MAX
from vigilo.tls.der import CONTEXT_0, SEQUENCE, NotDer, elements, only


@dataclass(frozen=True, slots=True)
class _Link:
    """What ties a certificate to others: the exact bytes of its names, and its facts."""

    issuer: bytes
    subject: bytes
    facts: CertificateFacts

    def certifies(self, other: _Link) -> bool:
        """True when `other` names this one as its issuer and no key identifier contradicts (RFC 5280 4.2.1.1)."""
        if not self.subject or self.subject != other.issuer:
            return False
        key, wanted = self.facts.ski_hex, other.facts.aki_hex
        return key is None or wanted is None or key == wanted

    def is_alternative(self, other: _Link) -> bool:
        """True for another certificate of the same key and name: cross-signed."""
        return self.subject == other.subject and self.facts.spki_sha256 == other.facts.spki_sha256


def describe_shape(chain: Sequence[bytes], facts: Sequence[CertificateFacts]) -> ChainShape | None:
    """The shape of DER certificates, leaf first, as served, with their facts; None without any. Raises nothing."""
    if not facts:
        return None
    links = [_link(der, fact) for der, fact in zip(chain, facts, strict=False)]
    prints = [fact.fingerprint_sha256 for fact in facts]
    duplicates = {place for place, one in enumerate(prints) if one in prints[:place]}
    path = _reachable(links, duplicates)
    missing = _without_issuer(links, path)
    return ChainShape(
        in_order=_in_order([links[place] for place in sorted(path)]),
        extra=tuple(place for place in range(len(links)) if place not in path and place not in duplicates),
        duplicates=tuple(sorted(duplicates)),
        missing_issuer=None if missing is None else missing.facts.issuer,
        missing_issuer_urls=() if missing is None else missing.facts.ca_issuer_urls,
    )


def _link(der: bytes, facts: CertificateFacts) -> _Link:
    issuer, subject = _names(der) if len(der) <= REMEMBERED_MAX else _names.__wrapped__(der)
    return _Link(issuer, subject, facts)


@lru_cache(maxsize=1024)
def _names(der: bytes) -> tuple[bytes, bytes]:
    try:
        fields = list(elements(only(only(der, SEQUENCE).content, SEQUENCE).content))
    except NotDer:
        return b"", b""
    if fields and fields[0].tag == CONTEXT_0:  # version; absent in version 1
        fields = fields[1:]
    return (fields[2].whole, fields[4].whole) if len(fields) >= 6 else (b"", b"")


def _reachable(links: Sequence[_Link], duplicates: set[int]) -> set[int]:
    """The places of all certificates on any path from the leaf."""
    found, waiting = {0}, [0]
    while waiting:
        below = links[waiting.pop()]
        above = {
            place
            for place, link in enumerate(links)
            if place not in found and place not in duplicates and link.certifies(below)
        }
        found |= above
        waiting.extend(above)
    return found


def _without_issuer(links: Sequence[_Link], path: set[int]) -> _Link | None:
    """Where the shortest way up ends for want of an issuer; None where it ends in itself, or goes round."""
    place, seen = 0, {0}
    while not links[place].facts.self_issued:
        above = [up for up in sorted(path) if links[up].certifies(links[place])]
        if not above:
            return links[place] if links[place].issuer else None
        place = next((up for up in above if links[up].facts.self_issued), above[0])
        if place in seen:
            return None
        seen.add(place)
    return None


def _in_order(path: Sequence[_Link]) -> bool:
    return all(link.certifies(before) or link.is_alternative(before) for before, link in pairwise(path))
