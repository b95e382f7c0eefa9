"""A chain that would keep a verifier busy is unknown, whoever built it, and nobody works on it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.pki import Authority, Issued, Options, ec_key, issue
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.grading.trust import budget
from vigilo.grading.trust.judge import MAX_DEPTH, TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC)
AUTHORITY = Authority.create()
ANCHORS = AnchorSet("test", (AUTHORITY.root.certificate,))
STORES = TrustStores(public=ANCHORS, private=ANCHORS)


def _same_name_same_key(count: int) -> list[Issued]:
    """Certificates that can each have issued every other one: paths grow as count to the power of the depth."""
    key = ec_key()
    root = issue(Options(common_name="Maze", key=key, ca=True))
    other = issue(Options(common_name="Elsewhere", key=key, ca=True))
    found = []
    for number in range(count):
        name, above = ("Maze", other) if number % 2 else ("Elsewhere", root)
        found.append(issue(Options(common_name=name, key=key, ca=True), above))
    return found


def test_a_maze_of_same_names_and_keys_is_too_complex() -> None:
    maze = _same_name_same_key(30)
    leaf = issue(Options(names=("a.test",)), maze[0])
    chain = [leaf.der, *(one.der for one in maze)]
    verdict = TrustJudge(STORES).judge(chain, TrustDomain.PUBLIC, at=NOW)
    assert (verdict.trusted, verdict.reason) == (Verdict.UNKNOWN, TrustReason.TOO_COMPLEX)


def test_the_count_ends_at_the_budget() -> None:
    maze = [one.certificate for one in _same_name_same_key(60)]
    leaf = issue(Options(names=("a.test",)), _same_name_same_key(1)[0]).certificate
    count = budget._Count(budget.by_subject(maze), {})
    count.follow(leaf, MAX_DEPTH)
    assert budget.MAX_SIGNATURE_CHECKS < count.checks <= budget.MAX_SIGNATURE_CHECKS + len(maze)


def test_copies_and_served_roots_cost_nothing() -> None:
    leaf = AUTHORITY.leaf("a.test")
    roots = [issue(Options(common_name="Test Root", ca=True)).der for _ in range(20)]
    chain = [*leaf.chain_der, *leaf.chain_der * 5, AUTHORITY.root.der, *roots]
    judge = TrustJudge(STORES)
    assert judge.judge(chain, TrustDomain.PUBLIC, at=NOW).trusted is Verdict.YES
    assert judge.judge(chain, TrustDomain.PRIVATE, at=NOW).trusted is Verdict.YES


def _constrained(constraints: int, names: int) -> tuple[x509.Certificate, x509.Certificate]:
    limits = x509.NameConstraints([x509.DNSName(f"n{one}.test") for one in range(constraints)], None)
    ca = issue(Options(common_name="Bounded", ca=True, extensions=((limits, True),)), AUTHORITY.root)
    leaf = issue(Options(names=tuple(f"a{one}.n1.test" for one in range(names))), ca)
    return leaf.certificate, ca.certificate


def test_names_times_constraints_are_bounded() -> None:
    assert budget.too_much(*_one_and_rest(_constrained(500, 498))) is None
    assert "name constraints" in (budget.too_much(*_one_and_rest(_constrained(500, 600))) or "")


def test_ten_thousand_names_without_constraints_are_fine() -> None:
    leaf = AUTHORITY.leaf(*(f"a{one}.test" for one in range(10_000)))
    assert TrustJudge(STORES).judge(leaf.chain_der, TrustDomain.PUBLIC, at=NOW).trusted is Verdict.YES


@pytest.mark.parametrize("domain", list(TrustDomain))
def test_a_key_with_an_endless_exponent_is_not_used(domain: TrustDomain) -> None:
    numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    key = rsa.RSAPublicNumbers((1 << 2046) + 1, numbers.n).public_key()
    builder = x509.CertificateBuilder(
        issuer_name=AUTHORITY.root.certificate.subject,
        subject_name=AUTHORITY.root.certificate.subject,
        public_key=key,
        serial_number=7,
        not_valid_before=AUTHORITY.root.certificate.not_valid_before_utc,
        not_valid_after=AUTHORITY.root.certificate.not_valid_after_utc,
    )
    der = Issued(builder.sign(AUTHORITY.root.key, Options().hash), AUTHORITY.root.key).der
    verdict = TrustJudge(STORES).judge([AUTHORITY.leaf("a.test").der, der], domain, at=NOW)
    assert (verdict.trusted, verdict.reason) == (Verdict.UNKNOWN, TrustReason.TOO_COMPLEX)


def _one_and_rest(
    chain: tuple[x509.Certificate, x509.Certificate],
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    return chain[0], chain[1:]
