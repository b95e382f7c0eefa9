"""Facts of a scan in a person's words. Pure; what comes from a peer still has to go through `safe`."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.text import Text

from vigilo.events.facts import CertificateFacts, HstsFacts, StapleFacts
from vigilo.events.scans import Outcome, Snapshot
from vigilo.events.text import visible

_NAMES_SHOWN = 8

OUTCOMES = {
    Outcome.NAME_NOT_FOUND: "the name does not exist",
    Outcome.DNS_FAILURE: "DNS gave no answer that can be used",
    Outcome.DNS_TIMEOUT: "DNS did not answer in time",
    Outcome.DENIED: "not allowed from here",
    Outcome.REFUSED: "nobody listens there: connection refused",
    Outcome.UNREACHABLE: "the network has no way there",
    Outcome.CONNECT_TIMEOUT: "no answer to our connect",
    Outcome.TLS_TIMEOUT: "connected, but TLS was not answered in time",
    Outcome.RESET: "the connection was reset",
    Outcome.CLOSED: "the connection was closed before TLS was done",
    Outcome.TLS_ALERT: "the server turned the handshake down",
    Outcome.TLS_FAILURE: "the handshake failed",
    Outcome.NOT_TLS: "this is not TLS",
    Outcome.STARTTLS_REFUSED: "the server does not offer STARTTLS",
    Outcome.THROTTLED: "the server asks us to come another time",
    Outcome.NOT_PERFORMED: "nothing was asked",
}


def safe(text: object, style: str = "") -> Text:
    """Text for a terminal: never markup, hidden characters made visible."""
    return Text(visible(str(text)), style=style)


def time_left(left: timedelta) -> str:
    """`57 days left`, `5 hours left`, `expired 3 days ago`; hours below two days."""
    span, past = abs(left), left < timedelta(0)
    if span >= timedelta(days=2):
        amount = f"{span.days} days"
    else:
        hours = int(span.total_seconds() // 3600)
        amount = f"{hours} hours" if hours != 1 else "1 hour"
    return f"expired {amount} ago" if past else f"{amount} left"


def validity_style(left: timedelta) -> str:
    """Green above 30 days, amber from 7, red below, dark red once expired."""
    if left < timedelta(0):
        return "bold dark_red"
    if left < timedelta(days=7):
        return "bold red"
    return "yellow" if left <= timedelta(days=30) else "green"


def moment(at: datetime) -> str:
    """`2026-11-23 21:50 UTC`."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def names_words(leaf: CertificateFacts) -> str:
    """The first names of the certificate, and how many more there are."""
    names = (*leaf.san, *leaf.san_ip)
    more = leaf.san_count - len(names[:_NAMES_SHOWN])
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "") or "(none)"


def key_words(certificate: CertificateFacts) -> str:
    """`EC 256 bits (P-256)`."""
    bits = "" if certificate.key_bits is None else f" {certificate.key_bits} bits"
    detail = "" if certificate.key_detail is None else f" ({certificate.key_detail})"
    return f"{certificate.key_algorithm.upper()}{bits}{detail}"


def starttls_words(snapshot: Snapshot) -> Text:
    """What was spoken before TLS; red when somebody could have slipped something in."""
    protocol = "" if snapshot.protocol is None else snapshot.protocol.upper()
    early = 0 if snapshot.starttls is None else snapshot.starttls.early_bytes
    if not early:
        return safe(f"STARTTLS ({protocol})")
    return safe(f"STARTTLS ({protocol}); {early} bytes in the clear after the go-ahead: injection is possible", "red")


def hsts_words(hsts: HstsFacts) -> str:
    """What was answered about HSTS."""
    if hsts.present is None:
        return f"unknown: {hsts.parse_error or 'no answer'}"
    if not hsts.present:
        return "none"
    if hsts.max_age is None:
        return f"ignored by browsers: {hsts.parse_error}"
    age = f"{hsts.max_age // 86400} days" if hsts.max_age >= 2 * 86400 else f"{hsts.max_age} seconds"
    return age + (", with subdomains" if hsts.include_subdomains else "") + (", preload" if hsts.preload else "")


def staple_words(staple: StapleFacts | None) -> str:
    """What was stapled."""
    if staple is None:
        return "unknown (asked once only)"
    if not staple.present:
        return "none"
    if staple.parse_error is not None:
        return f"unreadable: {staple.parse_error}"
    if staple.certificate_status is None:
        return f"the responder said {staple.response_status}"
    until = "" if staple.next_update is None else f", good until {moment(staple.next_update)}"
    flaw = "" if staple.matches_leaf is not False else ", about another certificate"
    flaw += "" if staple.signature_valid is not False else ", signature not valid"
    return f"{staple.certificate_status}{until}{flaw}"


def client_certificate_words(snapshot: Snapshot) -> str | None:
    """What the server wants of clients; None where it wants nothing."""
    if not snapshot.client_certificate_demanded:
        return None
    facts = snapshot.client_certificate
    if facts is None:
        return "demanded"
    word = {True: "required", False: "asked for, and not needed", None: "demanded"}[facts.required]
    if not facts.ca_names:
        return word
    more = facts.ca_names_count - len(facts.ca_names)
    return f"{word}, issued by {'; '.join(facts.ca_names)}" + (f" or {more} more" if more > 0 else "")


def shape_words(snapshot: Snapshot) -> str | None:
    """What is odd about the chain as served; None for nothing."""
    shape = snapshot.chain_shape
    if shape is None:
        return None
    parts = [] if shape.in_order else ["not in order"]
    parts += [f"extra: {_places(shape.extra)}"] if shape.extra else []
    parts += [f"served twice: {_places(shape.duplicates)}"] if shape.duplicates else []
    return "; ".join(parts) or None


def _places(places: tuple[int, ...]) -> str:
    return ", ".join(str(place) for place in places)
