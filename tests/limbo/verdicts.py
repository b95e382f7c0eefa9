"""Three judges of the same cases: this project's, cryptography's verifier alone, OpenSSL alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tests.limbo.vectors import Case
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.grading.trust.judge import MAX_DEPTH, TrustJudge
from vigilo.grading.trust.stores import TrustStores, anchors_from_der
from vigilo.tls.certificate import certificate_names
from vigilo.tls.names import matches_name


@dataclass(frozen=True, slots=True)
class Judged:
    """`accepted` is yes, no or unknown; `reason` is a code (name-mismatch, or a TrustReason), None when accepted."""

    accepted: Verdict
    reason: str | None = None
    detail: str | None = None

    def agrees(self, case: Case) -> bool:
        """True when this is what the suite expects. `unknown` agrees with nothing."""
        return self.accepted is (Verdict.YES if case.valid else Verdict.NO)


def ours(case: Case, domain: TrustDomain) -> Judged:
    """Chain and name, as a report card has them, with the case's anchors in that domain."""
    anchors = anchors_from_der(case.trusted, version=case.id)
    stores = TrustStores(public=anchors, private=anchors)
    verdict = TrustJudge(stores).judge((case.leaf, *case.untrusted), domain, at=case.at)
    if verdict.trusted is not Verdict.YES:
        return Judged(verdict.trusted, verdict.reason, verdict.detail)
    return _named(case)


def _named(case: Case) -> Judged:
    if case.name is None:
        return Judged(Verdict.YES)
    try:
        dns, addresses, _ = certificate_names(x509.load_der_x509_certificate(case.leaf))
    except (ValueError, x509.DuplicateExtension) as error:
        return Judged(Verdict.UNKNOWN, TrustReason.UNREADABLE, str(error))
    if matches_name(case.name, dns_names=dns, ip_addresses=addresses):
        return Judged(Verdict.YES)
    return Judged(Verdict.NO, "name-mismatch", case.name)


def public(case: Case) -> Judged:
    """Ours, for the clients of the public web."""
    return ours(case, TrustDomain.PUBLIC)


def private(case: Case) -> Judged:
    """Ours, for a private PKI: OpenSSL's path and our matching of names."""
    return ours(case, TrustDomain.PRIVATE)


def pyca(case: Case) -> Judged:
    """cryptography's verifier alone, chain and name together."""
    certificates = [x509.load_der_x509_certificate(der) for der in (case.leaf, *case.untrusted)]
    store = Store([x509.load_der_x509_certificate(der) for der in case.trusted])
    builder = PolicyBuilder().store(store).time(case.at).max_chain_depth(MAX_DEPTH)
    try:
        builder.build_server_verifier(_subject(case.name)).verify(certificates[0], certificates[1:])
    except (VerificationError, ValueError) as error:
        return Judged(Verdict.NO, detail=str(error))
    return Judged(Verdict.YES)


def _subject(name: str | None) -> x509.DNSName | x509.IPAddress:
    if name is None:
        raise ValueError("this verifier needs a name")
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


JUDGES: Mapping[str, Callable[[Case], Judged]] = {"public": public, "private": private, "cryptography": pyca}


@cache
def judged(judge: str, case: Case) -> Judged:
    """What that judge says, worked out once."""
    return JUDGES[judge](case)
