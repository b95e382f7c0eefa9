"""A server's posture as tables for a terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from vigilo.events.posture import GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.events.text import visible

_OLD = frozenset({"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"})
_WORDS = {Support.ACCEPTED: "yes", Support.REJECTED: "no", Support.UNKNOWN: "unknown"}


def versions_table(posture: Posture) -> Table:
    """Newest version first, each with its suites in the server's order."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for version in reversed(posture.versions):
        table.add_row(Text(version.version), _support(version))
        for number, suite in enumerate(version.suites, start=1):
            table.add_row("", Text(f"{number:>3} {visible(suite)}"))
    return table


def posture_table(posture: Posture) -> Table:
    """Groups, and what was seen on the way."""
    rows = [
        ("groups (TLS 1.3)", _groups(posture.groups)),
        ("groups (older)", _groups(posture.groups_tls12)),
        ("DH prime", "none seen" if posture.dh_bits is None else f"{posture.dh_bits} bits"),
        ("secure renegotiation", _WORDS[posture.secure_renegotiation]),
        ("compression", _WORDS[posture.compression]),
        ("fallback protection", _WORDS[posture.fallback_scsv]),
        ("extended master secret", _WORDS[posture.extended_master_secret]),
        ("encrypt-then-MAC", _WORDS[posture.encrypt_then_mac]),
        ("session tickets", _WORDS[posture.session_tickets]),
        ("connections", str(posture.connections)),
    ]
    rows += [("note", visible(note)) for note in posture.notes]
    if posture.throttled:
        rows.append(("throttled", "the server stopped answering on the way; what it refused is not known"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label, "dim"), Text(value))
    return table


def _support(version: VersionPosture) -> Text:
    if version.support is not Support.ACCEPTED:
        return Text(_WORDS[version.support], "yellow" if version.support is Support.UNKNOWN else "dim")
    words = "yes"
    if version.suites_count:
        words += f", {version.suites_count} suites" if version.suites_count > 1 else ", one suite"
    if version.order is not None:
        words += f", the {version.order}'s order"
    if version.order is SuiteOrder.SERVER and version.chacha_first:
        words += " (ChaCha20 first for clients that prefer it)"
    if version.suites and not version.complete:
        words += ", and maybe more"
    return Text(words, "red" if version.version in _OLD else "green")


def _groups(found: GroupsPosture | None) -> str:
    if found is None or not found.groups:
        return "none"
    return visible(", ".join(found.groups)) + ("" if found.complete else ", and maybe more")
