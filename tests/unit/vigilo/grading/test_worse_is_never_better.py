"""For any server: one fact made worse never raises a letter, one not known costs at most the A+."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.pki import Authority
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import Grade, ReportCard
from vigilo.events.facts import CertificateStatus, HstsFacts, StapleFacts
from vigilo.events.posture import Exposure, GroupsPosture, Posture, SuiteOrder, Support, VersionPosture, Vulnerability
from vigilo.events.scans import Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.inspection import inspect
from vigilo.grading.rulebook import VIGILO_2026
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create("Properties")
CHAIN = AUTHORITY.leaf("api.acme.test").chain_der
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,))))
PLAIN = snapshot(CHAIN, at=NOW)
VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
SUITES = (
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_NULL_SHA",
)
LOST = HstsFacts(status=503, parse_error="status 503")
Change = Callable[[Snapshot], Snapshot]


def card(given_: Snapshot, chain: tuple[bytes, ...] | None = CHAIN) -> ReportCard:
    return grade_snapshot(given_, chain, judge=JUDGE, at=NOW)


def rank(grade: Grade | None) -> int:
    assert grade is not None
    return grade.rank


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A server that speaks TLS 1.2 at least, with up to all that the rules judge wrong with it."""
    modern = draw(st.booleans())
    older = draw(st.sets(st.sampled_from(VERSIONS[:4])))
    order = draw(st.sampled_from(SuiteOrder))
    complete = draw(st.booleans())

    def version(name: str) -> VersionPosture:
        if name == "TLSv1.3" and modern:
            suites: tuple[str, ...] = ("TLS_AES_128_GCM_SHA256",)
        elif name == "TLSv1.2" or name in older:
            suites = tuple(draw(st.lists(st.sampled_from(SUITES), min_size=1, unique=True)))
        else:
            return VersionPosture(version=name, support=Support.REJECTED, complete=True)
        return VersionPosture(version=name, support=Support.ACCEPTED, suites=suites, complete=complete, order=order)

    posture = Posture(
        versions=tuple(version(name) for name in VERSIONS),
        groups=draw(st.sampled_from([None, GroupsPosture(groups=("x25519",))])),
        dh_bits=draw(st.sampled_from([None, 512, 1024, 2048])),
        compression=draw(st.sampled_from(Support)),
        secure_renegotiation=draw(st.sampled_from(Support)),
    )
    update = {
        "posture": posture,
        "tls_version": "TLSv1.3" if modern else "TLSv1.2",
        "group": draw(st.sampled_from(["X25519MLKEM768", "x25519", None])),
        "hsts": draw(st.sampled_from([None, LOST, HstsFacts(present=True, max_age=10), HstsFacts(present=False)])),
        "staple": draw(st.sampled_from([None, StapleFacts(present=False), StapleFacts(present=True, parse_error="?")])),
    }
    return PLAIN.model_copy(update=update)


def sets(**fields: object) -> Change:
    return lambda one: one.model_copy(update=fields)


def postures(change: Callable[[Posture], Posture]) -> Change:
    return lambda one: one.model_copy(update={"posture": None if one.posture is None else change(one.posture)})


def posture_sets(**fields: object) -> Change:
    return postures(lambda one: one.model_copy(update=fields))


def version_sets(name: str, change: Callable[[VersionPosture], VersionPosture]) -> Change:
    def changed(one: Posture) -> Posture:
        versions = tuple(change(version) if version.version == name else version for version in one.versions)
        return one.model_copy(update={"versions": versions})

    return postures(changed)


def accepts(name: str) -> Change:
    suites = ("TLS_RSA_WITH_AES_128_CBC_SHA",)
    return version_sets(
        name, lambda one: one.model_copy(update={"support": Support.ACCEPTED, "suites": one.suites or suites})
    )


def adds(suite: str) -> Change:
    return version_sets("TLSv1.2", lambda one: one.model_copy(update={"suites": (*one.suites, suite)}))


def prefers(suite: str) -> Change:
    update = {"order": SuiteOrder.SERVER}
    return version_sets(
        "TLSv1.2", lambda one: one.model_copy(update={**update, "suites": (suite, *one.suites), "complete": True})
    )


def without_tls13(one: Snapshot) -> Snapshot:
    rejected = version_sets("TLSv1.3", lambda v: VersionPosture(version=v.version, support=Support.REJECTED))
    return rejected(one).model_copy(update={"tls_version": "TLSv1.2"})


REVOKED = StapleFacts(present=True, certificate_status=CertificateStatus.REVOKED, matches_leaf=True)
WORSE: dict[str, Change] = {
    **{f"accepts {name}": accepts(name) for name in VERSIONS[:4]},
    **{f"accepts {suite}": adds(suite) for suite in SUITES[2:]},
    **{f"prefers {suite}": prefers(suite) for suite in SUITES[2:]},
    "has no TLS 1.3": without_tls13,
    "DH of 512 bits": posture_sets(dh_bits=512),
    "a weak curve": posture_sets(groups_tls12=GroupsPosture(groups=("secp160r1",))),
    "compresses": posture_sets(compression=Support.ACCEPTED),
    "renegotiates in the open": posture_sets(secure_renegotiation=Support.REJECTED),
    "a hole": posture_sets(vulnerabilities=(Vulnerability(name="robot", exposure=Exposure.VULNERABLE),)),
    "no hybrid group": sets(group="x25519"),
    "no HSTS": sets(hsts=HstsFacts(present=False)),
    "revoked": sets(staple=REVOKED),
    "another name": sets(target=PLAIN.target.model_copy(update={"hostname": "other.acme.test"})),
}
FORGOTTEN: dict[str, Change] = {
    **{f"{name} not known": version_sets(name, lambda one: VersionPosture(version=one.version)) for name in VERSIONS},
    **{f"{name} open": version_sets(name, lambda one: one.model_copy(update={"complete": False})) for name in VERSIONS},
    "order": version_sets("TLSv1.2", lambda one: one.model_copy(update={"order": None})),
    "posture": sets(posture=None),
    "throttled": posture_sets(throttled=True),
    "DH": posture_sets(dh_bits=None),
    "compression": posture_sets(compression=Support.UNKNOWN),
    "renegotiation": posture_sets(secure_renegotiation=Support.UNKNOWN),
    "groups": posture_sets(groups=None),
    "group": sets(group=None),
    "version": sets(tls_version=None),
    "HSTS": sets(hsts=LOST),
    "staple": sets(staple=None),
}


@pytest.mark.parametrize("name", WORSE)
@settings(max_examples=15, deadline=None)
@given(before=snapshots())
def test_a_fact_made_worse_never_raises_a_letter(name: str, before: Snapshot) -> None:
    then, now = card(before), card(WORSE[name](before))
    assert rank(now.grade) >= rank(then.grade)
    assert rank(now.posture_grade) >= rank(then.posture_grade)


@pytest.mark.parametrize("name", FORGOTTEN)
@settings(max_examples=15, deadline=None)
@given(before=snapshots())
def test_a_fact_that_is_not_known_costs_at_most_the_a_plus(name: str, before: Snapshot) -> None:
    known, unknown = card(before), card(FORGOTTEN[name](before))
    assert rank(unknown.grade) <= max(rank(known.grade), Grade.A.rank)


@settings(max_examples=100, deadline=None)
@given(given_=snapshots())
def test_removing_a_finding_never_lowers_a_letter_and_the_way_up_only_climbs(given_: Snapshot) -> None:
    graded = card(given_)
    inspection = inspect(given_, CHAIN, JUDGE, at=NOW)
    for gone in graded.findings:
        left = [finding for finding in graded.findings if finding is not gone]
        assert VIGILO_2026.letter(left, inspection).rank <= rank(graded.grade)
    steps = [rank(graded.grade), *(step.grade_then.rank for step in graded.to_improve)]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == Grade.A_PLUS.rank
    assert bool(graded.deciding) is (graded.grade is not Grade.A_PLUS)


_GRADE = """
import sys
from datetime import datetime
from pathlib import Path
from cryptography import x509
from vigilo.events.scans import Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores
root, chain, at, *snapshots = [Path(sys.argv[1], name).read_bytes() for name in sys.argv[2:]]
judge = TrustJudge(TrustStores(public=AnchorSet("roots", (x509.load_der_x509_certificate(root),))))
served = tuple(bytes.fromhex(line.decode()) for line in chain.split())
for text in snapshots:
    scan = Snapshot.model_validate_json(text)
    print(grade_snapshot(scan, served, judge=judge, at=datetime.fromisoformat(at.decode())).model_dump_json())
"""


def test_two_processes_that_hash_differently_write_the_same_bytes(tmp_path: Path) -> None:
    versions = tuple(VersionPosture(version=name, support=Support.REJECTED, complete=True) for name in VERSIONS)
    known = accepts("TLSv1.2")(PLAIN.model_copy(update={"posture": Posture(versions=versions)}))
    changed = {f"s{number}": change(known) for number, change in enumerate(WORSE.values())}
    assert isinstance(AUTHORITY.root.certificate, x509.Certificate)
    files = {
        "root": AUTHORITY.root.certificate.public_bytes(Encoding.DER),
        "chain": "\n".join(der.hex() for der in CHAIN).encode(),
        "at": NOW.isoformat().encode(),
        **{name: one.model_dump_json().encode() for name, one in changed.items()},
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _GRADE, str(tmp_path), *files],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "2")
    ]
    first, second = (process.communicate(timeout=60)[0] for process in running)
    assert first == second
    assert len(first.splitlines()) == len(WORSE)
    assert len(set(first.splitlines())) > 20
