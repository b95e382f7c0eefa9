"""What may be known of a host, for tests of triggers: one that is well, and whatever a card can say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.fakes.inputs import LEAF, NOON, card, host
from vigilo.alerting import threshold
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import Course, Knowledge, learn
from vigilo.alerting.view import View
from vigilo.events.cards import Grade, PathCertificate, ReportCard, TrustReason, Verdict
from vigilo.events.facts import KeyAlgorithm, StapleStatus, WeakKeyHint
from vigilo.events.hosts import Interval
from vigilo.events.scans import Outcome
from vigilo.events.triggers import Trigger

DAY = timedelta(days=1)
VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def certificate(**changes: Any) -> PathCertificate:
    """A certificate with an RSA key of 2048 bits that expires in 60 days."""
    fields: dict[str, Any] = {
        "fingerprint_sha256": LEAF,
        "subject": "CN=shop.example",
        "issuer": "CN=Example CA",
        "not_before": NOON - 30 * DAY,
        "not_after": NOON + 60 * DAY,
        "key_algorithm": "rsa",
        "key_bits": 2048,
        "signature_algorithm": "sha256WithRSAEncryption",
    }
    return PathCertificate(**{**fields, **changes})


def well(**changes: Any) -> Knowledge:
    """Everything was seen, and nothing is wrong."""
    fields: dict[str, Any] = {
        "outcome": Outcome.OK,
        "path": (certificate(),),
        "names": ("shop.example",),
        "names_count": 1,
        "name_matches": Verdict.YES,
        "chain_valid": Verdict.YES,
        "grade": Grade.A,
        "staple_status": StapleStatus.GOOD,
        "staple_wanted": True,
        "versions_accepted": VERSIONS[4:],
        "versions_rejected": VERSIONS[:4],
        "rulebook": "vigilo-2026",
        "trust_store": "test",
    }
    return Knowledge(**{**fields, **changes})


def view(known: Knowledge | None, course: Course | None = None, **of_host: Any) -> View:
    """A host about which that is known."""
    return View(host(**of_host), known, course or Course())


def judge(trigger: Trigger, known: Knowledge | None, at: datetime = NOON, course: Course | None = None) -> Judgement:
    """The answer."""
    return threshold.judge(trigger, view(known, course), at)


def matter(trigger: Trigger, known: Knowledge | None, at: datetime = NOON, course: Course | None = None) -> str:
    """What is said to be wrong."""
    return threshold.question(trigger).matter(trigger, view(known, course), at)


def cleared(trigger: Trigger, known: Knowledge | None, at: datetime = NOON, course: Course | None = None) -> str:
    """What is said to be well again."""
    return threshold.question(trigger).cleared(trigger, view(known, course), at)


# Peers choose these; ours are bounded by their types.
texts = st.text(max_size=40) | st.just("O=<!channel>\n\x1b[31m\u202e, {0}\\")
instants = st.integers(-900, 900).map(lambda hours: NOON + timedelta(hours=hours, microseconds=hours % 7))
path_certificates = st.builds(
    PathCertificate,
    fingerprint_sha256=st.just(LEAF),
    subject=texts,
    issuer=texts,
    not_before=st.none() | instants,
    not_after=st.none() | instants,
    key_algorithm=st.none() | st.sampled_from([*map(str, KeyAlgorithm), "ML-DSA-65", "X25519"]) | texts,
    key_bits=st.none() | st.integers(-1, 20_000),
    signature_algorithm=st.none() | st.sampled_from(["md5WithRSAEncryption", "sha256WithRSAEncryption"]) | texts,
    weak_key=st.lists(st.sampled_from(WeakKeyHint), max_size=2).map(tuple),
)
versions = st.lists(st.sampled_from([*VERSIONS, "TLSv9"]), max_size=6).map(tuple)


def _card(at: datetime, path: list[PathCertificate], fields: dict[str, Any]) -> ReportCard:
    return card(requested_at=at, path=tuple(path), **fields)


cards: st.SearchStrategy[ReportCard] = st.builds(
    _card,
    instants,
    st.lists(path_certificates, max_size=3),
    st.fixed_dictionaries(
        {
            "outcome": st.sampled_from(Outcome),
            "pool_suspect": st.booleans(),
            "grade": st.none() | st.sampled_from(Grade),
            "provisional": st.booleans(),
            "name_matches": st.sampled_from(Verdict),
            "chain_valid": st.sampled_from(Verdict),
            "chain_reason": st.none() | st.sampled_from(TrustReason),
            "chain_detail": st.none() | texts,
            "names": st.lists(texts, max_size=7).map(tuple),
            "names_count": st.integers(0, 900),
            "staple_status": st.none() | st.sampled_from(StapleStatus),
            "staple_wanted": st.none() | st.booleans(),
            "versions_accepted": versions,
            "versions_rejected": versions,
        }
    ),
)
courses = st.builds(
    Course,
    watched_since=st.none() | instants,
    performed_at=st.none() | instants,
    staple_good_at=st.none() | instants,
    staple_stopped_at=st.none() | instants,
    excused_until=st.none() | instants,
)


def _seen(cards: list[ReportCard], course: Course, interval: Interval) -> View:
    known: Knowledge | None = None
    for one in cards:
        known = learn(known, one)
    return view(known, course, interval=interval)


views = st.builds(_seen, st.lists(cards, max_size=3), courses, st.sampled_from(Interval))
