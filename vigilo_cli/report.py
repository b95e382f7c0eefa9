"""A snapshot and its report card as a page for a terminal: what a person wants first, first.

Every text goes out as plain Text, never as markup, and after one more pass that makes hidden characters visible.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vigilo.events.cards import ReportCard
from vigilo.events.scans import Depth, Outcome, Snapshot
from vigilo.tls.endpoint import Endpoint
from vigilo_cli.card import card_body
from vigilo_cli.certificates import certificate_table, chain_table
from vigilo_cli.posture import posture_table, rows_table, versions_table, vulnerabilities_table
from vigilo_cli.verdict import failure, verdict
from vigilo_cli.wording import client_certificate_words, hsts_words, safe, staple_words, starttls_words

_PLAIN_WIDTH = 120  # of a page that goes to a file or a pipe, unless COLUMNS says otherwise


def print_report(snapshot: Snapshot, card: ReportCard) -> None:
    """Prints the page to standard output; colours only on a terminal that wants them (NO_COLOR, TERM)."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:  # a terminal that speaks less than UTF-8 must not end in a traceback
        reconfigure(errors="backslashreplace")
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console = Console(highlight=False, emoji=False, markup=False, width=_PLAIN_WIDTH)
    with console.capture() as captured:
        console.print(report(snapshot, card))
    # Tables are filled up with blanks to the right edge: they would wrap in a window that is made narrower.
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def report(snapshot: Snapshot, card: ReportCard) -> RenderableType:
    """The whole page."""
    return Group(*_parts(snapshot, card))


def _parts(snapshot: Snapshot, card: ReportCard) -> Iterator[RenderableType]:
    yield _heading(snapshot)
    well = snapshot.outcome is Outcome.OK
    yield Text()
    yield verdict(snapshot, card) if well else failure(snapshot)
    if well and card.findings:
        yield _section("Report card", card_body(card))
    if snapshot.chain:
        yield _section("Certificate", certificate_table(snapshot, snapshot.chain[0]))
        yield _section("Chain as served", chain_table(snapshot))
    if well:
        yield _section("Connection", _connection(snapshot))
    if snapshot.posture is not None:
        yield _section("Versions and cipher suites", versions_table(snapshot.posture))
        yield _section("What else it accepts", posture_table(snapshot.posture))
        if snapshot.posture.vulnerabilities:
            yield _section("Known holes", vulnerabilities_table(snapshot.posture))
    if len(snapshot.addresses) > 1:
        yield _section("Addresses", _addresses(snapshot))
    yield from _notes(snapshot)


def _heading(snapshot: Snapshot) -> Text:
    target = snapshot.target
    where = f" at {snapshot.address}" if snapshot.address not in {None, target.hostname} else ""
    asked = f", asked for {target.sni}" if target.sni not in {None, target.hostname} else ""
    depth = f", {snapshot.depth} scan" if snapshot.outcome is Outcome.OK else ""
    took = "" if snapshot.duration_ms is None else f", {snapshot.duration_ms} ms"
    return Text.assemble(
        safe(Endpoint(target.hostname, target.port), "bold"),
        safe(f"{where}{asked}, {snapshot.finished_at:%Y-%m-%d %H:%M:%S} UTC{depth}{took}", "dim"),
    )


def _section(title: str, body: RenderableType) -> Group:
    return Group(Text(), Text(title, "bold"), Padding(body, (0, 0, 0, 2)))


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
        rows.extend((one.name, one.value) for one in snapshot.hsts.proxy_headers)
    if (demanded := client_certificate_words(snapshot)) is not None:
        rows.append(("client certificate", demanded))
    rows.extend(_resumption(snapshot))
    if snapshot.without_sni is not None:
        rows.append(("without SNI", _without_sni(snapshot)))
    return rows_table(rows)


def _resumption(snapshot: Snapshot) -> Iterator[tuple[str, object]]:
    facts = snapshot.resumption
    if facts is None:
        return
    words = {"TLS 1.3": facts.tls13, "tickets": facts.ticket, "session ids": facts.session_id}
    yield "resumption", ", ".join(f"{name} {support}" for name, support in words.items())
    if facts.max_early_data:
        yield "early data", f"up to {facts.max_early_data} bytes"


def _without_sni(snapshot: Snapshot) -> str:
    facts = snapshot.without_sni
    if facts is None or facts.outcome != Outcome.OK:
        return "not known" if facts is None else f"{facts.outcome}{f': {facts.detail}' if facts.detail else ''}"
    return "the same certificate" if facts.same_leaf else f"another certificate: {facts.subject or '(no subject)'}"


def _addresses(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    for one in snapshot.addresses:
        style = "green" if one.outcome is Outcome.OK else "yellow"
        took = "" if one.handshake_ms is None else f"{(one.connect_ms or 0) + one.handshake_ms} ms"
        leaf = "" if one.leaf_sha256 is None else f"certificate {one.leaf_sha256[:16]}"
        table.add_row(safe(one.address), Text(one.outcome, style), Text(took, "dim"), safe(one.detail or leaf))
    return table


def _notes(snapshot: Snapshot) -> Iterator[RenderableType]:
    notes = [] if snapshot.posture is None else list(snapshot.posture.notes)
    if len(snapshot.rollout) > 1:
        notes.append(f"{len(snapshot.rollout)} different certificates are served, depending on the address")
    if snapshot.depth is Depth.LIGHT and snapshot.outcome is Outcome.OK:
        notes.append("a light scan: what else the server accepts was not asked")
    if notes:
        yield _section("Notes", Group(*(safe(note) for note in notes)))
