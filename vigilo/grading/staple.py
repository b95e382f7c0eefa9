"""The verdict on a stapled OCSP response (RFC 6960 section 3.2, RFC 6066 section 8)."""

from __future__ import annotations

from datetime import datetime

from vigilo.events.facts import CertificateFacts, CertificateStatus, StapleFacts, StapleStatus

_BY_STATUS = {
    CertificateStatus.GOOD: StapleStatus.GOOD,
    CertificateStatus.REVOKED: StapleStatus.REVOKED,
    CertificateStatus.UNKNOWN: StapleStatus.UNKNOWN,
}


def wants_staple(leaf: CertificateFacts) -> bool | None:
    """True if the leaf names an OCSP responder or must be stapled (RFC 7633); None if its bytes do not tell."""
    if leaf.ocsp_urls or leaf.must_staple:
        return True
    return None if leaf.parse_error is not None else False


def judge_staple(leaf: CertificateFacts, staple: StapleFacts | None, *, at: datetime) -> StapleStatus | None:
    """The staple's status at that instant; None when the scan did not measure stapling."""
    if staple is None:
        return None
    if not staple.present:
        return StapleStatus.NOT_STAPLED if wants_staple(leaf) else StapleStatus.NOT_OFFERED
    if staple.parse_error is not None or staple.certificate_status is None or staple.matches_leaf is False:
        return StapleStatus.INVALID
    if staple.signature_valid is False or (staple.this_update is not None and staple.this_update > at):
        return StapleStatus.INVALID
    if staple.next_update is not None and staple.next_update < at:
        return StapleStatus.EXPIRED
    return _BY_STATUS[staple.certificate_status]
