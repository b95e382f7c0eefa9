"""Signed certificate timestamps of a leaf, whichever way they came (RFC 6962 section 3.3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.x509 import ocsp

from vigilo.events.facts import SctFacts, SctSource
from vigilo.events.scans import SCTS_MAX
from vigilo.tls.certificate import REMEMBERED_MAX
from vigilo.tls.extensions import extension
from vigilo.tls.wire.reading import Malformed, Reader

_V1 = 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def describe_scts(leaf: bytes, *, staple: bytes | None, tls_extension: bytes | None) -> tuple[SctFacts, ...]:
    """The timestamps of a DER leaf: its own, those of its staple, those beside it. Raises nothing for any bytes."""
    embedded = _embedded(leaf) if len(leaf) <= REMEMBERED_MAX else _embedded.__wrapped__(leaf)
    found = (*_beside(tls_extension), *_stapled(staple), *embedded)
    return found[:SCTS_MAX]


def parse_sct_list(data: bytes) -> tuple[SctFacts, ...]:
    """The content of the TLS extension signed_certificate_timestamp. Raises Malformed.

    Versions other than 1 are passed over: their layout is not known.
    """
    reader = Reader(data)
    entries, found = Reader(reader.vector(2)), list[SctFacts]()
    while entries.left and len(found) < SCTS_MAX:
        entry = Reader(entries.vector(2))
        if entry.number(1) != _V1:
            continue
        log_id, milliseconds = entry.take(32).hex(), entry.number(8)
        found.append(SctFacts(log_id=log_id, timestamp=_time(milliseconds), source=SctSource.TLS_EXTENSION))
    return tuple(found)


def _time(milliseconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:  # after the year 9999
        return None


def _beside(data: bytes | None) -> Sequence[SctFacts]:
    try:
        return () if data is None else parse_sct_list(data)
    except Malformed:
        return ()


@lru_cache(maxsize=1024)
def _embedded(leaf: bytes) -> Sequence[SctFacts]:
    try:
        extensions = x509.load_der_x509_certificate(leaf).extensions
        return _facts(extension(extensions, x509.PrecertificateSignedCertificateTimestamps), SctSource.EMBEDDED)
    except Exception:  # hostile bytes: the certificate's own facts say what is wrong with it
        return ()


def _stapled(staple: bytes | None) -> Sequence[SctFacts]:
    try:
        extensions = None if staple is None else ocsp.load_der_ocsp_response(staple).single_extensions
        return (
            ()
            if extensions is None
            else _facts(extension(extensions, x509.SignedCertificateTimestamps), SctSource.STAPLE)
        )
    except Exception:  # the staple's facts say it
        return ()


def _facts(
    scts: Iterable[x509.certificate_transparency.SignedCertificateTimestamp] | None, source: SctSource
) -> Sequence[SctFacts]:
    return [
        SctFacts(log_id=sct.log_id.hex(), timestamp=sct.timestamp.replace(tzinfo=UTC), source=source)
        for sct in list(scts or ())[:SCTS_MAX]
    ]
