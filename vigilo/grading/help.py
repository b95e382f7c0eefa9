"""Where docs/troubleshooting.md explains a finding. Pure: rule and verdict to anchor."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vigilo.events.cards import FindingLevel, Grade, TrustReason
from vigilo.events.help import BY_REASON, Help

CHAIN_RULE = "rfc5280.chain-validates"
PROXY_RULE = "house.interception"
BY_RULE: Mapping[str, Help] = MappingProxyType(
    {
        "rfc9525.name-matches": Help.NAME_MISMATCH,
        PROXY_RULE: Help.TLS_AGENT,
        "rfc5280.within-validity": Help.EXPIRED_THOUGH_RENEWED,
        "rfc8996.protocol-version": Help.OLD_PROTOCOLS,
        "rfc9325.cipher-suites": Help.CIPHER_SUITES,
        "house.vulnerabilities": Help.KNOWN_HOLES,
        "cabf-br.key-size": Help.WEAK_KEY,
        "cabf-br.signature-algorithm": Help.WEAK_KEY,
        "house.stapling": Help.STAPLE,
    }
)


def help_of(rule: str, level: FindingLevel, cap: Grade | None, *, chain_reason: TrustReason | None) -> Help | None:
    """What explains a rule's line; None for one that nobody needs explained.

    Whatever holds a card at F is explained: where its rule has no entry, by the one on that letter.
    """
    if level is FindingLevel.GOOD or (level is FindingLevel.INFO and rule != PROXY_RULE):
        return None
    if rule == CHAIN_RULE:
        return Help.TRUST_NOT_KNOWN if chain_reason is None else BY_REASON[chain_reason]
    if rule in BY_RULE:
        return BY_RULE[rule]
    if cap is Grade.F:
        return Help.GRADE_F
    return Help.FACTS_NOT_KNOWN if level is FindingLevel.UNKNOWN else None
