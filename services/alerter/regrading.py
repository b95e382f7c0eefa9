"""Is it the host that changed, or only those who judge it? Pure."""

from __future__ import annotations

import zlib

from vigilo.alerting.knowledge import Knowledge
from vigilo.events.cards import ReportCard, TrustReason

_BY_TIME = frozenset({TrustReason.EXPIRED, TrustReason.NOT_YET_VALID})


def mark(card: ReportCard) -> int:
    """A short name of the rulebook and the trust store that judged the card, the same in every process."""
    return zlib.crc32(f"{card.rulebook}/{card.trust_store}".encode())


def regraded(known: Knowledge | None, judged_by: int | None, card: ReportCard) -> bool:
    """True if the card shows the chain that was known, judged by others than those who judged the last card with one.

    A chain that has expired meanwhile is none of a rulebook's doing. Cards do not tell whether the host's suites
    changed in the same hour; then its alert goes out in the digest of the new rulebook: no page, but not silence.
    """
    if known is None or judged_by is None or judged_by == mark(card) or card.pool_suspect:
        return False
    before = tuple(one.fingerprint_sha256 for one in known.path)
    return before == tuple(one.fingerprint_sha256 for one in card.path) and card.chain_reason not in _BY_TIME
