"""A server's posture as tables for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from vigilo.events.posture import Exposure, GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.events.text import visible
from vigilo_cli.wording import safe

_OLD = frozenset({"SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1"})
_WORDS = {Support.ACCEPTED: "yes", Support.REJECTED: "no", Support.UNKNOWN: "unknown"}
_EXPOSURES = {
    Exposure.VULNERABLE: ("FAIL", "bold red"),
    Exposure.SAFE: ("ok", "green"),
    Exposure.UNKNOWN: ("?", "yellow"),
}
# RFC 9325 sections 4.1 and 4.2, RFC 7465 (RC4); blocks of 64 bits: CVE-2016-2183.
_BROKEN = re.compile(r"_NULL_|EXPORT|_anon_|_RC4_|_RC2_|_DES_|_DES40_|_3DES_|_IDEA_|_MD5$")
_FORWARD = re.compile(r"^TLS_(EC)?DHE_|^TLS_(AES|CHACHA20|SM4|SHA)")
_DOUBT = Text("?", "yellow")
_SMALL_DH_BITS = 2048


def rows_table(rows: Iterable[tuple[str, object]]) -> Table:
    """Labels and values; a Text goes as it is, all else is made safe."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(safe(label, "dim"), value if isinstance(value, Text) else safe(value))
    return table


def versions_table(posture: Posture) -> Table:
    """Newest version first, each with its suites in the server's order."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for version in reversed(posture.versions):
        table.add_row(_mark(version), safe(version.version), _support(version))
        for suite in version.suites:
            table.add_row("", "", suite_text(suite))
    return table


def suite_text(suite: str) -> Text:
    """The suite's name; red where it is broken, yellow where whoever gets the key can read what was recorded."""
    if _BROKEN.search(suite):
        return Text.assemble(safe(suite, "red"), ("  weak", "bold red"))
    if not _FORWARD.search(suite):
        return Text.assemble(safe(suite, "yellow"), ("  no forward secrecy", "yellow"))
    return safe(suite)


def _mark(version: VersionPosture) -> Text:
    if version.support is Support.UNKNOWN:
        return _DOUBT
    old = version.version in _OLD
    if version.support is Support.ACCEPTED:
        return Text("FAIL", "bold red") if old else Text("ok", "green")
    return Text("ok", "green") if old else Text("-", "dim")


def posture_table(posture: Posture) -> Table:
    """Groups, and what was seen on the way; what should be otherwise is coloured."""
    rows = [
        ("groups (TLS 1.3)", _groups(posture.groups)),
        ("groups (older)", _groups(posture.groups_tls12)),
        ("DH prime", _dh(posture.dh_bits)),
        ("secure renegotiation", _wanted(posture.secure_renegotiation)),
        ("compression", _unwanted(posture.compression)),
        ("fallback protection", _fallback(posture)),
        ("extended master secret", _wanted(posture.extended_master_secret)),
        ("encrypt-then-MAC", _neutral(posture.encrypt_then_mac)),
        ("session tickets", _neutral(posture.session_tickets)),
        ("connections", Text(str(posture.connections))),
    ]
    return rows_table(rows)


def vulnerabilities_table(posture: Posture) -> Table:
    """One row for each probe."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in posture.vulnerabilities:
        word, style = _EXPOSURES[one.exposure]
        table.add_row(Text(word, style), safe(one.name), safe(one.evidence))
    return table


def _neutral(support: Support) -> Text:
    return Text(_WORDS[support], "yellow" if support is Support.UNKNOWN else "")


def _wanted(support: Support) -> Text:
    return Text(_WORDS[support], {Support.ACCEPTED: "green"}.get(support, "yellow"))


def _fallback(posture: Posture) -> Text:
    if posture.fallback_scsv is Support.UNKNOWN and len(posture.supporting(Support.ACCEPTED)) == 1:
        return Text("not needed: only one version is spoken", "dim")
    return _wanted(posture.fallback_scsv)


def _unwanted(support: Support) -> Text:
    return Text(_WORDS[support], {Support.ACCEPTED: "bold red", Support.REJECTED: "green"}.get(support, "yellow"))


def _dh(bits: int | None) -> Text:
    if bits is None:
        return Text("none seen", "dim")
    return Text(f"{bits} bits" + (", weak" if bits < _SMALL_DH_BITS else ""), "red" if bits < _SMALL_DH_BITS else "")


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


def _groups(found: GroupsPosture | None) -> Text:
    if found is None or not found.groups:
        return Text("none", "dim")
    return Text(visible(", ".join(found.groups)) + ("" if found.complete else ", and maybe more"))
