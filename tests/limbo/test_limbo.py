"""Trust verdicts against x509-limbo and BetterTLS. Meant deviations are in deviations.toml, with their reasons."""

from __future__ import annotations

import pytest

from tests.limbo import table
from tests.limbo.vectors import in_scope
from tests.limbo.verdicts import judged
from vigilo.events.cards import TrustReason, Verdict

# Some cases are about serial numbers that cryptography will refuse one day.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")

CODES = {*TrustReason, "name-mismatch"}


@pytest.mark.parametrize("domain", table.DOMAINS)
def test_only_the_listed_cases_deviate(domain: str) -> None:
    meant = {case: says for (where, case), (says, _) in table.listed().items() if where == domain}
    assert table.deviating(domain, in_scope()) == meant


@pytest.mark.parametrize("domain", table.DOMAINS)
def test_every_refusal_has_a_reason_code_and_words(domain: str) -> None:
    said = {case.id: judged(domain, case) for case in in_scope()}
    silent = [
        case
        for case, one in said.items()
        if one.accepted is not Verdict.YES and (one.reason not in CODES or not one.detail)
    ]
    assert silent == []
    assert all(one.reason is None for one in said.values() if one.accepted is Verdict.YES)


def test_public_chains_never_pass_where_the_verifier_alone_refuses() -> None:
    too_kind = [
        case.id
        for case in in_scope()
        if judged("public", case).accepted is Verdict.YES and judged("cryptography", case).accepted is not Verdict.YES
    ]
    assert too_kind == []


def test_public_chains_fail_where_the_verifier_alone_accepts_for_their_name_only() -> None:
    stricter = {
        judged("public", case).reason
        for case in in_scope()
        if judged("public", case).accepted is Verdict.NO and judged("cryptography", case).accepted is Verdict.YES
    }
    assert stricter <= {"name-mismatch"}


def test_the_document_tells_these_results() -> None:
    assert table.in_document(table.DOCUMENT.read_text()) == table.results(), "run: python -m tests.limbo.table"
