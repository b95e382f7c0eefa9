"""Roots trusted only for certificates issued up to a day: what a PEM bundle of roots cannot say."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from vigilo.tls.sct import describe_scts


class Measure(StrEnum):
    """Which date of a leaf a program compares; a leaf without SCTs is measured by not_before."""

    NOT_BEFORE = "not-before"
    EARLIEST_SCT = "earliest-sct"


@dataclass(frozen=True, slots=True)
class Distrust:
    """One program's word on one root: leaves issued later than `after` are not trusted."""

    root_sha256: str
    subject: str
    program: str
    after: datetime
    measured_by: Measure
    source: str

    def refuses(self, leaf: x509.Certificate) -> bool:
        """True when the leaf is from after that instant."""
        return _issued(leaf, self.measured_by) > self.after


@dataclass(frozen=True, slots=True)
class DistrustOverlay:
    """All rows and the version that names them in every card."""

    version: str
    rows: tuple[Distrust, ...]

    def against(self, leaf: x509.Certificate, root: x509.Certificate) -> tuple[Distrust, ...]:
        """The rows that refuse this leaf below that root."""
        sha256 = root.fingerprint(hashes.SHA256()).hex()
        return tuple(row for row in self.rows if row.root_sha256 == sha256 and row.refuses(leaf))

    def refused(self, leaf: x509.Certificate) -> frozenset[bytes]:
        """SHA-256 of every root that may not vouch for this leaf."""
        return frozenset(bytes.fromhex(row.root_sha256) for row in self.rows if row.refuses(leaf))


NO_DISTRUST = DistrustOverlay("none", ())


def parse_overlay(text: str) -> DistrustOverlay:
    """The overlay in a TOML file. Raises ValueError or KeyError for what is no such file."""
    data = tomllib.loads(text)
    return DistrustOverlay(version=str(data["version"]), rows=tuple(_rows(data["distrust"])))


def tell(rows: Iterable[Distrust], leaf: x509.Certificate) -> str:
    """Which programs refuse the leaf, since when, and from when the leaf is."""
    said = [
        f"{row.program} trusts no certificate of {row.subject} from after {row.after:%Y-%m-%d}"
        f" ({row.measured_by.value} of this one: {_issued(leaf, row.measured_by):%Y-%m-%d})"
        for row in rows
    ]
    return "; ".join(said)


def _rows(tables: Iterable[dict[str, object]]) -> Iterable[Distrust]:
    for table in tables:
        after = table["after"]
        if not isinstance(after, datetime) or after.tzinfo is None:
            raise ValueError(f"no instant with a time zone: {after}")
        sha256 = str(table["root_sha256"])
        if len(bytes.fromhex(sha256)) != 32:
            raise ValueError(f"no SHA-256: {sha256}")
        yield Distrust(
            root_sha256=sha256,
            subject=str(table["subject"]),
            program=str(table["program"]),
            after=after.astimezone(UTC),
            measured_by=Measure(str(table["measured_by"])),
            source=str(table["source"]),
        )


def _issued(leaf: x509.Certificate, measure: Measure) -> datetime:
    if measure is Measure.EARLIEST_SCT:
        scts = describe_scts(leaf.public_bytes(Encoding.DER), staple=None, tls_extension=None)
        times = [sct.timestamp for sct in scts if sct.timestamp is not None]
        if times:
            return min(times)
    return leaf.not_valid_before_utc
