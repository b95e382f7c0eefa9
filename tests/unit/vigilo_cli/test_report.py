from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from services.scanner.probing import Timing, describe
from services.scanner.sightings import AddressSeen, HandshakeSeen, HostSeen, Unsuccessful
from tests.fakes import pki
from tests.fakes.scan_requests import light_request
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo.events.cards import Finding, FindingLevel, Grade
from vigilo.events.facts import CertificateStatus, ChainShape, HstsFacts, ProxyHeader, StapleFacts
from vigilo.events.handshakes import ClientCertificateFacts, ResumptionFacts, WithoutSni
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Support
from vigilo.events.scans import Outcome, Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo_cli.report import report
from vigilo_cli.wording import hsts_words, staple_words, time_left, validity_style

NOW = datetime.now(UTC)
JUDGE = TrustJudge(load_trust_stores())
HOSTILE = "evil\x1b]0;owned\x07\x1b[2J [red]not red[/red]\u202e\u200b\r\n"


def page(snapshot: Snapshot, chain: tuple[bytes, ...] | None = None, *, colour: bool = False) -> str:
    return rendered(report(snapshot, grade_snapshot(snapshot, chain, judge=JUDGE, at=NOW)), colour=colour)


def rendered(what: RenderableType, *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=colour, markup=False, highlight=False, emoji=False)
    console.print(what)
    return out.getvalue()


def seen(leaf: pki.Issued, **handshake: object) -> Snapshot:
    found = HandshakeSeen(chain=leaf.chain_der, version="TLSv1.3", **handshake)  # type: ignore[arg-type]
    address = AddressSeen(ip_address("127.0.0.1"), Outcome.OK, handshake=found)
    return describe(light_request("a.test"), HostSeen((address,)), Timing(NOW, NOW, 5), scanner="t")


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=57, hours=5), "57 days left"),
        (timedelta(hours=47, minutes=59), "47 hours left"),
        (timedelta(minutes=90), "1 hour left"),
        (timedelta(minutes=1), "0 hours left"),
        (timedelta(hours=-5), "expired 5 hours ago"),
        (timedelta(days=-3, hours=-1), "expired 3 days ago"),
    ],
)
def test_time_left_in_words(left: timedelta, words: str) -> None:
    assert time_left(left) == words


@pytest.mark.parametrize(
    ("left", "style"),
    [
        (timedelta(days=30, seconds=1), "green"),
        (timedelta(days=30), "yellow"),
        (timedelta(days=7), "yellow"),
        (timedelta(days=6, hours=23), "bold red"),
        (timedelta(0), "bold red"),
        (timedelta(seconds=-1), "bold dark_red"),
    ],
)
def test_colours_by_days_left(left: timedelta, style: str) -> None:
    assert validity_style(left) == style


def test_what_a_person_wants_first_comes_first() -> None:
    leaf = pki.expiring("a.test", in_=timedelta(days=12, hours=1))
    text = page(seen(leaf), (leaf.der,))
    first = text.splitlines()[:6]
    assert "a.test:443" in first[0]
    assert " F " in first[2]
    assert "Chain validates" in first[2]
    assert "12 days left" in first[3]
    assert "not trusted: self-signed" in first[4]
    assert "name matches: a.test" in first[5]
    for words in (
        "Certificate",
        "Connection",
        "TLSv1.3",
        "Report card",
        leaf.certificate.serial_number.to_bytes(20).hex()[-8:],
    ):
        assert words in text


def test_a_failed_scan_says_why() -> None:
    failure = HostSeen(failure=Unsuccessful(Outcome.NAME_NOT_FOUND, "a.test does not exist"))
    text = page(describe(light_request("a.test"), failure, Timing(NOW, NOW, 5), scanner="t"))
    assert "Scan failed: the name does not exist [name-not-found]" in text
    assert "a.test does not exist" in text


def test_a_failed_scan_says_why_in_words_whatever_the_outcome() -> None:
    for outcome in set(Outcome) - {Outcome.OK}:
        failure = HostSeen(failure=Unsuccessful(outcome, "so it was"))
        text = page(describe(light_request("a.test"), failure, Timing(NOW, NOW, 5), scanner="t"))
        assert f"[{outcome}]" in text
        assert "so it was" in text


def test_a_wrong_name_is_shown_beside_those_of_the_certificate() -> None:
    leaf = pki.issue(pki.Options(common_name="b.test", names=tuple(f"n{number}.test" for number in range(5))))
    text = page(seen(leaf), (leaf.der,))
    assert re.search(
        r"FAIL +name does not match: a.test; the certificate has n0.test, n1.test, n2.test and 2 more", text
    )


def test_what_decided_the_letter_stands_beside_it() -> None:
    leaf = pki.issue(pki.Options(common_name="a.test", names=("a.test",)))
    snapshot = seen(leaf)
    card = grade_snapshot(snapshot, (leaf.der,), judge=JUDGE, at=NOW)
    deciding = Finding(
        rule="r", level=FindingLevel.FAILURE, title="Best version", evidence="TLSv1.0", cap=Grade.C, citation="x"
    )
    other = deciding.model_copy(update={"rule": "s", "title": "Other", "cap": Grade.B})
    found = {"findings": (other, deciding), "deciding": ("r",)}
    capped = card.model_copy(update={"grade": Grade.C, "posture_grade": Grade.C, **found})
    first = rendered(report(snapshot, capped)).splitlines()[2]
    assert re.fullmatch(r" *C +for Best version: TLSv1.0 *", first)
    perfect = card.model_copy(
        update={"grade": Grade.A_PLUS, "posture_grade": Grade.A_PLUS, "findings": (), "deciding": ()}
    )
    assert "nothing to mend" in rendered(report(snapshot, perfect)).splitlines()[2]


def test_everything_new_facts_say_is_shown_and_made_harmless() -> None:
    leaf = pki.issue(pki.Options(common_name="a.test"))
    snapshot = seen(leaf).model_copy(
        update={
            "client_certificate_demanded": True,
            "client_certificate": ClientCertificateFacts(required=True, ca_names=(HOSTILE,), ca_names_count=3),
            "without_sni": WithoutSni(outcome="ok", same_leaf=False, subject=HOSTILE),
            "resumption": ResumptionFacts(tls13=Support.ACCEPTED, ticket=Support.REJECTED, max_early_data=16384),
            "chain_shape": ChainShape(in_order=False, extra=(2,)),
            "hsts": HstsFacts(present=False, proxy_headers=(ProxyHeader(name="via", value=HOSTILE),)),
        }
    )
    text = page(snapshot, (leaf.der,))
    for words in (
        "client certificate required, issued by evil",
        "or 2 more",
        "another certificate: evil",
        "TLS 1.3 accepted, tickets rejected, session ids unknown",
        "up to 16384 bytes",
        "not in order; extra: 2",
        "via  ",
        "a light scan: what else the server accepts was not asked",
    ):
        assert words in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", text)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_pages_keep_within_the_window(width: int) -> None:
    leaf = pki.issue(pki.Options(common_name="a" * 60, names=tuple(f"{'b' * 50}{number}.test" for number in range(9))))
    snapshot = seen(leaf)
    out = io.StringIO()
    card = grade_snapshot(snapshot, (leaf.der,), judge=JUDGE, at=NOW)
    Console(file=out, width=width, markup=False).print(report(snapshot, card))
    assert max(len(line) for line in out.getvalue().splitlines()) <= width


@pytest.mark.parametrize("colour", [False, True])
def test_a_hostile_certificate_cannot_drive_the_terminal(colour: bool) -> None:
    leaf = pki.issue(pki.Options(common_name=HOSTILE))
    text = page(seen(leaf, alpn=HOSTILE), (leaf.der,), colour=colour)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)  # rich's own colours
    assert "\\x1b]0;owned\\x07" in plain
    assert "[red]not red[/red]" in plain
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", plain)


@given(st.text(), st.text())
@settings(deadline=None)
def test_any_text_from_the_network_is_harmless(alpn: str, detail: str) -> None:
    leaf = pki.issue(pki.Options(common_name="a.test"))
    well = seen(leaf, alpn=alpn)
    bad = describe(
        light_request("a.test"),
        HostSeen((AddressSeen(ip_address("127.0.0.1"), Outcome.NOT_TLS, detail),)),
        Timing(NOW, NOW, 5),
        scanner="t",
    )
    for text in (page(well), page(bad)):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


@pytest.mark.parametrize(
    ("staple", "words"),
    [
        (None, "unknown"),
        (StapleFacts(present=False), "none"),
        (StapleFacts(present=True, parse_error="bad"), "unreadable: bad"),
        (StapleFacts(present=True, response_status="try-later"), "try-later"),
        (
            StapleFacts(present=True, certificate_status=CertificateStatus.REVOKED, signature_valid=False),
            "revoked, signature not valid",
        ),
    ],
)
def test_staples_in_words(staple: StapleFacts | None, words: str) -> None:
    assert words in staple_words(staple)


@pytest.mark.parametrize(
    ("hsts", "words"),
    [
        (HstsFacts(present=None, parse_error="no answer in time"), "unknown: no answer in time"),
        (HstsFacts(present=False), "none"),
        (HstsFacts(present=True, parse_error="there is no max-age"), "ignored by browsers: there is no max-age"),
        (HstsFacts(present=True, max_age=31536000, include_subdomains=True), "365 days, with subdomains"),
        (HstsFacts(present=True, max_age=60, preload=True), "60 seconds, preload"),
    ],
)
def test_hsts_in_words(hsts: HstsFacts, words: str) -> None:
    assert hsts_words(hsts) == words
    leaf = pki.issue(pki.Options(common_name="a.test"))
    assert words in page(seen(leaf).model_copy(update={"hsts": hsts}))


def test_the_dialogue_before_tls_is_shown_and_so_is_what_came_too_early() -> None:
    leaf = pki.issue(pki.Options(common_name="a.test"))
    assert "before TLS" not in page(seen(leaf))
    for early, words in ((0, "STARTTLS (SMTP)"), (14, "14 bytes in the clear after the go-ahead")):
        handshake = HandshakeSeen(chain=leaf.chain_der, protocol=Protocol.SMTP, early_bytes=early)
        address = AddressSeen(ip_address("127.0.0.1"), Outcome.OK, handshake=handshake, protocol=Protocol.SMTP)
        snapshot = describe(light_request("a.test"), HostSeen((address,)), Timing(NOW, NOW, 5), scanner="t")
        assert words in page(snapshot)
