from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from services.scanner.probing import Timing, describe
from services.scanner.sightings import AddressSeen, HandshakeSeen, HostSeen, Unsuccessful
from tests.fakes import pki
from tests.fakes.scan_requests import light_request
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo.events.facts import CertificateStatus, HstsFacts, StapleFacts
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Outcome, Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo_cli.report import hsts_words, report, staple_words, time_left, validity_style

NOW = datetime.now(UTC)
JUDGE = TrustJudge(load_trust_stores())
HOSTILE = "evil\x1b]0;owned\x07\x1b[2J [red]not red[/red]\u202e\u200b\r\n"


def page(snapshot: Snapshot, chain: tuple[bytes, ...] | None = None, *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=colour, markup=False, highlight=False, emoji=False)
    console.print(report(snapshot, grade_snapshot(snapshot, chain, judge=JUDGE, at=NOW)))
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
    first = text.splitlines()[:4]
    assert "a.test:443" in first[0]
    assert "12 days left" in first[1]
    assert "Chain not valid: self-signed" in first[2]
    for words in (
        "Certificate",
        "Connection",
        "TLSv1.3",
        "Findings",
        leaf.certificate.serial_number.to_bytes(20).hex()[-8:],
    ):
        assert words in text


def test_a_failed_scan_says_why() -> None:
    failure = HostSeen(failure=Unsuccessful(Outcome.NAME_NOT_FOUND, "a.test does not exist"))
    text = page(describe(light_request("a.test"), failure, Timing(NOW, NOW, 5), scanner="t"))
    assert "Scan failed: name-not-found" in text
    assert "a.test does not exist" in text


@pytest.mark.parametrize("colour", [False, True])
def test_a_hostile_certificate_cannot_drive_the_terminal(colour: bool) -> None:
    leaf = pki.issue(pki.Options(common_name=HOSTILE))
    text = page(seen(leaf, alpn=HOSTILE), (leaf.der,), colour=colour)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)  # rich's own colours
    assert "\\x1b]0;owned\\x07" in plain
    assert "[red]not red[/red]" in plain
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", plain)


@given(st.text(), st.text())
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
