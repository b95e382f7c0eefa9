"""A snapshot and its report card as a page for a terminal: what a person wants first, first.

Every text goes out as plain Text, never as markup, and after one more pass that makes hidden characters visible.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vigilo.events.cards import FindingLevel, Grade, ReportCard, Verdict
from vigilo.events.facts import CertificateFacts, HstsFacts, StapleFacts
from vigilo.events.scans import Outcome, Snapshot
from vigilo.events.text import visible
from vigilo.tls.endpoint import Endpoint
from vigilo_cli.posture import posture_table, versions_table

_NAMES_SHOWN = 8
_PLAIN_WIDTH = 120  # of a page that goes to a file or a pipe
_LEVELS = {
    FindingLevel.GOOD: ("good", "green"),
    FindingLevel.INFO: ("info", "cyan"),
    FindingLevel.WARNING: ("warning", "yellow"),
    FindingLevel.FAILURE: ("failure", "red"),
    FindingLevel.UNKNOWN: ("unknown", "dim"),
}
_WORST_FIRST = (
    FindingLevel.FAILURE,
    FindingLevel.WARNING,
    FindingLevel.UNKNOWN,
    FindingLevel.INFO,
    FindingLevel.GOOD,
)


def print_report(snapshot: Snapshot, card: ReportCard) -> None:
    """Prints the page to standard output; colours only on a terminal that wants them."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:  # a terminal that speaks less than UTF-8 must not end in a traceback
        reconfigure(errors="backslashreplace")
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, emoji=False, markup=False, width=_PLAIN_WIDTH)
    console.print(report(snapshot, card))


def report(snapshot: Snapshot, card: ReportCard) -> RenderableType:
    """The whole page."""
    return Group(*_parts(snapshot, card))


def _parts(snapshot: Snapshot, card: ReportCard) -> Iterator[RenderableType]:
    yield _heading(snapshot)
    if snapshot.outcome is not Outcome.OK:
        yield _failure(snapshot)
    else:
        yield _verdict(snapshot, card)
        yield _section("Certificate", _certificate(snapshot.chain[0]) if snapshot.chain else Table.grid())
        yield _section("Chain as served", _chain(snapshot))
        yield _section("Connection", _connection(snapshot))
    if snapshot.posture is not None:
        yield _section("Versions and cipher suites", versions_table(snapshot.posture))
        yield _section("What else it accepts", posture_table(snapshot.posture))
    if snapshot.outcome is Outcome.OK:
        yield _section("Findings", _findings(card))
    if len(snapshot.addresses) > 1:
        yield _section("Addresses", _addresses(snapshot))


def _safe(text: object, style: str = "") -> Text:
    return Text(visible(str(text)), style=style)


def _heading(snapshot: Snapshot) -> Text:
    target = snapshot.target
    where = f" at {snapshot.address}" if snapshot.address not in {None, target.hostname} else ""
    took = "" if snapshot.duration_ms is None else f", {snapshot.duration_ms} ms"
    return Text.assemble(
        _safe(Endpoint(target.hostname, target.port), "bold"),
        _safe(f"{where}, {snapshot.finished_at:%Y-%m-%d %H:%M:%S} UTC{took}", "dim"),
    )


def _failure(snapshot: Snapshot) -> Text:
    return Text.assemble(
        ("Scan failed: ", "bold red"), _safe(snapshot.outcome, "bold red"), "\n", _safe(snapshot.detail or "")
    )


def _verdict(snapshot: Snapshot, card: ReportCard) -> RenderableType:
    lines = [Text.assemble(_letter(card), "  ", _validity(snapshot))]
    if card.chain_valid is Verdict.NO:
        lines.append(
            Text.assemble(("Chain not valid: ", "red"), _safe(f"{card.chain_reason}: {card.chain_detail or ''}"))
        )
    elif card.chain_valid is Verdict.YES:
        domains = ", ".join(one.domain for one in card.trust if one.trusted is Verdict.YES)
        lines.append(Text.assemble(("Chain valid", "green"), f" ({domains} roots)"))
    if card.name_matches is Verdict.NO:
        lines.append(
            Text.assemble(("Name does not match: ", "red"), _safe(snapshot.target.sni or snapshot.target.hostname))
        )
    if card.grade is Grade.F and card.posture_grade not in {None, Grade.F}:
        lines.append(Text(f"Posture {card.posture_grade} if trusted", "dim"))
    return Group(*lines)


def _letter(card: ReportCard) -> Text:
    if card.grade is None:
        return Text(" ? ", "reverse dim")
    colour = (
        "green" if card.grade.rank <= Grade.A_MINUS.rank else "yellow" if card.grade.rank <= Grade.C.rank else "red"
    )
    return Text(f" {card.grade} ", f"bold reverse {colour}")


def _validity(snapshot: Snapshot) -> Text:
    leaf = snapshot.chain[0] if snapshot.chain else None
    if leaf is None or leaf.not_after is None or leaf.not_before is None:
        return Text("validity unknown", "yellow")
    if leaf.not_before > snapshot.finished_at:
        return Text(f"not valid before {_moment(leaf.not_before)}", "red")
    left = leaf.not_after - snapshot.finished_at
    return Text(f"{time_left(left)} (until {_moment(leaf.not_after)})", validity_style(left))


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


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _section(title: str, body: RenderableType) -> Group:
    return Group(Text(), Text(title, "bold"), Padding(body, (0, 0, 0, 2)))


def _rows(rows: list[tuple[str, object]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label, "dim"), value if isinstance(value, Text) else _safe(value))
    return table


def _certificate(leaf: CertificateFacts) -> Table:
    rows: list[tuple[str, object]] = [
        ("subject", leaf.subject or "(none)"),
        ("issuer", leaf.issuer or "(none)"),
        ("names", _names(leaf)),
        ("key", _key(leaf)),
        ("signature", leaf.signature_algorithm or "(unknown)"),
        ("serial", leaf.serial_hex or "(unknown)"),
        ("sha256", leaf.fingerprint_sha256),
    ]
    if leaf.must_staple:
        rows.append(("must-staple", "yes"))
    if leaf.parse_error is not None:
        rows.append(("unreadable", _safe(leaf.parse_error, "red")))
    return _rows(rows)


def _names(leaf: CertificateFacts) -> str:
    names = (*leaf.san, *leaf.san_ip)
    more = leaf.san_count - len(names[:_NAMES_SHOWN])
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "") or "(none)"


def _key(certificate: CertificateFacts) -> str:
    bits = "" if certificate.key_bits is None else f" {certificate.key_bits} bits"
    detail = "" if certificate.key_detail is None else f" ({certificate.key_detail})"
    return f"{certificate.key_algorithm.upper()}{bits}{detail}"


def _chain(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    for number, certificate in enumerate(snapshot.chain):
        until = certificate.not_after
        style = "" if until is None else validity_style(until - snapshot.finished_at)
        table.add_row(
            Text(str(number), "dim"),
            _safe(certificate.subject or "(none)"),
            _safe(_key(certificate)),
            Text("" if until is None else f"until {until:%Y-%m-%d}", style),
        )
    if snapshot.chain_count > len(snapshot.chain):
        table.add_row("", Text(f"and {snapshot.chain_count - len(snapshot.chain)} more", "dim"))
    return table


def _connection(snapshot: Snapshot) -> Table:
    rows: list[tuple[str, object]] = [
        ("version", snapshot.tls_version or "(unknown)"),
        ("cipher suite", snapshot.cipher_suite or "(unknown)"),
        ("key exchange", snapshot.group or "without (EC)DHE group"),
        ("ALPN", snapshot.alpn or "none"),
        ("OCSP staple", staple_words(snapshot.staple)),
    ]
    if snapshot.starttls is not None:
        rows.insert(0, ("before TLS", starttls_words(snapshot)))
    if snapshot.hsts is not None:
        rows.append(("HSTS", hsts_words(snapshot.hsts)))
    if snapshot.client_certificate_demanded:
        rows.append(("client certificate", "demanded"))
    return _rows(rows)


def starttls_words(snapshot: Snapshot) -> Text:
    """What was spoken before TLS, in words; red when somebody could have slipped something in."""
    protocol = "" if snapshot.protocol is None else snapshot.protocol.upper()
    early = 0 if snapshot.starttls is None else snapshot.starttls.early_bytes
    if not early:
        return _safe(f"STARTTLS ({protocol})")
    return _safe(f"STARTTLS ({protocol}); {early} bytes in the clear after the go-ahead: injection is possible", "red")


def hsts_words(hsts: HstsFacts) -> str:
    """What was answered about HSTS, in words."""
    if hsts.present is None:
        return f"unknown: {hsts.parse_error or 'no answer'}"
    if not hsts.present:
        return "none"
    if hsts.max_age is None:
        return f"ignored by browsers: {hsts.parse_error}"
    age = f"{hsts.max_age // 86400} days" if hsts.max_age >= 2 * 86400 else f"{hsts.max_age} seconds"
    return age + (", with subdomains" if hsts.include_subdomains else "") + (", preload" if hsts.preload else "")


def staple_words(staple: StapleFacts | None) -> str:
    """What was stapled, in words."""
    if staple is None:
        return "unknown (asked once only)"
    if not staple.present:
        return "none"
    if staple.parse_error is not None:
        return f"unreadable: {staple.parse_error}"
    if staple.certificate_status is None:
        return f"the responder said {staple.response_status}"
    until = "" if staple.next_update is None else f", good until {_moment(staple.next_update)}"
    flaw = "" if staple.matches_leaf is not False else ", about another certificate"
    flaw += "" if staple.signature_valid is not False else ", signature not valid"
    return f"{staple.certificate_status}{until}{flaw}"


def _findings(card: ReportCard) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in sorted(card.findings, key=lambda one: _WORST_FIRST.index(one.level)):
        word, style = _LEVELS[finding.level]
        cap = "" if finding.cap is None else f" (at best {finding.cap})"
        table.add_row(Text(word, style), _safe(finding.title), _safe(f"{finding.evidence}{cap}"))
    return table


def _addresses(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    for one in snapshot.addresses:
        style = "green" if one.outcome is Outcome.OK else "yellow"
        table.add_row(_safe(one.address), Text(one.outcome, style), _safe(one.detail or (one.leaf_sha256 or "")[:16]))
    return table
