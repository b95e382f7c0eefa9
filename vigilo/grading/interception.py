"""Is it the host that answers, or something that terminates TLS in front of it? A label, never a verdict. Pure.

The label needs two things: nobody trusts the leaf, and its issuer is one that only stands in front of others. A trusted
certificate is never called intercepted: a CDN is the host, as far as clients are concerned.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# One untrusted issuer that answers for so many unrelated domains seen from one place is no host's own.
UNRELATED_DOMAINS = 3
AGENT = "TLS_AGENT"


@dataclass(frozen=True, slots=True)
class _Product:
    """A product that re-signs what passes it: what its issuer says of itself, and where that was read."""

    name: str
    issuer: re.Pattern[str]
    source: str


def _part(text: str) -> re.Pattern[str]:
    """That attribute, whole, anywhere in a name as RFC 4514 writes it."""
    return re.compile(rf"(?:^|[,+]){text}(?=[,+]|$)", re.IGNORECASE)


# Fortinet's factory certificates share everything but the CN with those its firewalls re-sign with: hence the serial.
PRODUCTS = (
    _Product("a TLS-terminating proxy", _part(f"(?:CN|O|OU)={AGENT}"), "the product's own description"),
    _Product("Zscaler", _part(r"O=Zscaler Inc\."), "chains quoted in users' reports, 2021-2026"),
    _Product("Fortinet FortiGate", _part(r"CN=FG[0-9A-Z]{8,}"), "chains quoted in users' reports, 2025-2026"),
    _Product(
        "Kaspersky", _part(r"CN=Kaspersky Anti-Virus Personal Root(?: Certificate)?"), "users' reports, 2025-2026"
    ),
    _Product("ESET", _part("CN=ESET SSL Filter CA"), "chains quoted in users' reports, 2021-2026"),
    _Product("Avast", _part("CN=Avast Web/Mail Shield Root"), "chains quoted in users' reports, 2026"),
    _Product("mitmproxy", _part("CN=mitmproxy"), "mitmproxy's own CA, as its users quote it"),
    _Product("Burp Suite", _part("CN=PortSwigger CA"), "PortSwigger's CA, as its users quote it"),
    _Product("Fiddler", _part("CN=DO_NOT_TRUST_FiddlerRoot"), "Fiddler's CA, as its users quote it"),
    _Product("Superfish", _part(r"O=Superfish\\?,? ?Inc\."), "badssl.com, known-bad certificates"),
    _Product("Dell eDellRoot", _part("CN=eDellRoot"), "badssl.com, known-bad certificates"),
)


@dataclass(frozen=True, slots=True)
class Interception:
    """Who seems to answer in the host's place, and what that rests on."""

    product: str
    evidence: str


def interception(issuer: str, *, trusted_by_nobody: bool, unrelated_domains: int = 1) -> Interception | None:
    """The label of a leaf with that issuer (RFC 4514, as served); None where it does not apply.

    `unrelated_domains` is for how many domains this issuer answers, seen from the same scanner pool.
    """
    if not trusted_by_nobody:
        return None
    for product in PRODUCTS:
        if product.issuer.search(issuer):
            return Interception(product.name, f"the certificate was issued by {issuer}, and nobody trusts it")
    if unrelated_domains >= UNRELATED_DOMAINS:
        words = f"one issuer that nobody trusts, {issuer}, answers for {unrelated_domains} unrelated domains"
        return Interception("an unknown product", words)
    return None
