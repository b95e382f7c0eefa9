"""Whether the certificate that a server leaves out is known (docs/decisions/0019). Nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from vigilo.events.cards import TrustDomain, TrustReason, TrustVerdict, Verdict
from vigilo.grading.trust.judge import MAX_DEPTH, TrustJudge

_LACKS_AN_ISSUER = frozenset({TrustReason.INCOMPLETE, TrustReason.UNKNOWN_ISSUER})
_SIGNATURES_MAX = 8  # checks per step: certificates of one name and many keys are cheap to make and dear to try
_NAME_MAX = 80


class RememberingJudge(TrustJudge):
    """Says of a chain that lacks an issuer whether `seen` has it. The verdict is `judge`'s; only its detail grows."""

    def __init__(self, judge: TrustJudge, seen: Callable[[], Iterable[bytes]]) -> None:
        """`seen` gives DER certificates, the likeliest first; it is asked only where one is missing."""
        super().__init__(judge.stores)
        self._judge = judge
        self._seen = seen

    def judge(self, chain_der: Sequence[bytes], domain: TrustDomain, *, at: datetime) -> TrustVerdict:
        """See TrustJudge."""
        verdict = self._judge.judge(chain_der, domain, at=at)
        if verdict.reason not in _LACKS_AN_ISSUER or verdict.certificate_sha256 is None:
            return verdict
        missing = missing_issuers(chain_der, verdict.certificate_sha256, self._seen())
        if not missing:
            return verdict
        whole = self._judge.judge((*chain_der, *map(_der, missing)), domain, at=at)
        return verdict.model_copy(update={"detail": f"{verdict.detail}. {_told(missing, whole)}"})


def missing_issuers(chain_der: Sequence[bytes], stuck_sha256: str, seen: Iterable[bytes]) -> list[x509.Certificate]:
    """The certificates above the one a path got stuck at, nearest first, as far as `seen` has them; none for a root.

    Each has signed the one below it. Raises nothing for any bytes.
    """
    stuck = next((one for one in _read(chain_der) if one.fingerprint(hashes.SHA256()).hex() == stuck_sha256), None)
    found: list[x509.Certificate] = []
    candidates = list(_read(dict.fromkeys(seen)))
    while stuck is not None and len(found) < MAX_DEPTH:
        above = _issuer(stuck, [one for one in candidates if one not in found])
        if above is None or above.subject == above.issuer:
            break
        found.append(above)
        stuck = above
    return found


def _read(ders: Iterable[bytes]) -> Iterator[x509.Certificate]:
    for der in ders:
        try:
            certificate = x509.load_der_x509_certificate(der)
            _ = certificate.subject, certificate.issuer
        except ValueError:
            continue
        yield certificate


def _issuer(certificate: x509.Certificate, candidates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    named = [one for one in candidates if one.subject == certificate.issuer]
    for one in named[:_SIGNATURES_MAX]:
        try:
            certificate.verify_directly_issued_by(one)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            continue
        return one
    return None


def _told(missing: Sequence[x509.Certificate], whole: TrustVerdict) -> str:
    names = ", ".join(map(_name, missing[:2]))
    came = "What the server leaves out is known, for it was served before"
    return f"{came}: {names}" + ("; with it the chain is trusted" if whole.trusted is Verdict.YES else "")


def _name(certificate: x509.Certificate) -> str:
    try:
        return certificate.subject.rfc4514_string()[:_NAME_MAX] or "(empty name)"
    except ValueError:
        return "(unreadable name)"


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
