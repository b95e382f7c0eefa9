"""The leaf and the chain as tables for a terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from vigilo.events.facts import CertificateFacts
from vigilo.events.scans import Snapshot
from vigilo_cli.posture import rows_table
from vigilo_cli.wording import key_words, moment, names_words, safe, shape_words, validity_style


def certificate_table(snapshot: Snapshot, leaf: CertificateFacts) -> Table:
    """The leaf's facts, one a row."""
    rows: list[tuple[str, object]] = [
        ("subject", leaf.subject or "(none)"),
        ("issuer", leaf.issuer or "(none)"),
        ("names", names_words(leaf)),
        ("valid", _valid(leaf)),
        ("key", key_words(leaf)),
        ("signature", leaf.signature_algorithm or "(unknown)"),
        ("serial", leaf.serial_hex or "(unknown)"),
        ("sha256", leaf.fingerprint_sha256),
    ]
    if leaf.must_staple:
        rows.append(("must-staple", "yes"))
    if leaf.validation is not None:
        rows.append(("validation", leaf.validation))
    if snapshot.scts:
        rows.append(("CT logs", f"{len(snapshot.scts)} signed timestamps"))
    if leaf.parse_error is not None:
        rows.append(("unreadable", safe(leaf.parse_error, "red")))
    return rows_table(rows)


def _valid(leaf: CertificateFacts) -> str:
    if leaf.not_before is None or leaf.not_after is None:
        return "(unknown)"
    return f"{moment(leaf.not_before)} to {moment(leaf.not_after)}, {(leaf.not_after - leaf.not_before).days} days"


def chain_table(snapshot: Snapshot) -> Table:
    """Every certificate as served, leaf first."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    for number, certificate in enumerate(snapshot.chain):
        until = certificate.not_after
        style = "" if until is None else validity_style(until - snapshot.finished_at)
        table.add_row(
            Text(str(number), "dim"),
            safe(certificate.subject or "(none)"),
            safe(key_words(certificate)),
            Text("" if until is None else f"until {until:%Y-%m-%d}", style),
        )
    if snapshot.chain_count > len(snapshot.chain):
        table.add_row("", Text(f"and {snapshot.chain_count - len(snapshot.chain)} more", "dim"))
    odd = shape_words(snapshot)
    if odd is not None:
        table.add_row("", safe(odd, "yellow"))
    return table
