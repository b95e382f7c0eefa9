"""E-mail over a real SMTP dialogue: encrypted, signed in, refused in part or whole, cut off."""

from __future__ import annotations

import json
import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.notifier.channels.smtp import EmailChannel
from services.notifier.delivery import Answer, Attempt
from services.notifier.tellings import Telling
from tests.fakes.pki import Authority
from tests.fakes.smtp import PASSWORD, USER, MailServer, mail_server, server_context
from tests.fakes.tellings import DELIVERY, hostile, opened, told
from vigilo.adapters.egress import DeliveryEgress, parse_grants
from vigilo.adapters.settings import BadSettings, read
from vigilo.adapters.smtp_settings import SmtpSecurity, SmtpSettings
from vigilo.events.alerts import TransitionKind

GRANT = "127.0.0.0/8:*"
TO = ("ada@acme.test", "grace@acme.test")
PLAIN: dict[str, Any] = {"smtp_security": SmtpSecurity.NONE}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("Mail")


@pytest.fixture(scope="module")
def serving(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The mail server's certificate, for 127.0.0.1."""
    return server_context(authority, tmp_path_factory.mktemp("mail"), "127.0.0.1")


def trusting(authority: Authority) -> ssl.SSLContext:
    """A client that trusts the authority alone."""
    return ssl.create_default_context(cadata=authority.root.pem.decode())


async def mailed(
    server: MailServer,
    telling: Telling | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    to: Sequence[str] = TO,
    grant: str = GRANT,
    **changes: Any,
) -> Attempt:
    """One attempt with these settings."""
    values = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_from": "Vigilo <vigilo@acme.test>", **changes}
    channel = EmailChannel(
        SmtpSettings(**values),
        DeliveryEgress(parse_grants([grant] if grant else [])),
        public_url="https://vigilo.acme.test",
        tls=tls,
    )
    credentials = json.dumps({"to": to}).encode()
    return await channel.send(credentials, telling or told(opened()), delivery_id=DELIVERY)


async def test_starttls_with_a_password(authority: Authority, serving: ssl.SSLContext) -> None:
    login: dict[str, Any] = {"smtp_username": USER, "smtp_password": SecretStr(PASSWORD)}
    async with mail_server(starttls=serving, auth=True) as server:
        attempt = await mailed(server, tls=trusting(authority), **login)
        assert (attempt.answer, attempt.error_class, attempt.http_status) == (Answer.ACCEPTED, None, None)
        (got,) = server.mails
        assert (got.encrypted, got.user, got.sender, got.to) == (True, USER, "vigilo@acme.test", TO)
        wrong = await mailed(server, tls=trusting(authority), **{**login, "smtp_password": SecretStr("wrong")})
        assert (wrong.answer, wrong.error_class) == (Answer.REFUSED, "smtp-auth")


async def test_tls_from_the_first_byte(authority: Authority, serving: ssl.SSLContext) -> None:
    async with mail_server(tls=serving) as server:
        attempt = await mailed(server, tls=trusting(authority), smtp_security=SmtpSecurity.TLS)
        assert attempt.answer is Answer.ACCEPTED
        assert server.mails[0].encrypted


@pytest.mark.parametrize("security", [SmtpSecurity.STARTTLS, SmtpSecurity.TLS])
async def test_a_certificate_nobody_vouches_for_gets_no_mail(serving: ssl.SSLContext, security: SmtpSecurity) -> None:
    later = security is SmtpSecurity.STARTTLS
    async with mail_server(starttls=serving if later else None, tls=None if later else serving) as server:
        attempt = await mailed(server, smtp_security=security)
        assert (attempt.answer, attempt.error_class, server.mails) == (Answer.REFUSED, "tls", [])


async def test_no_mail_in_the_clear_unless_asked_for_and_allowed() -> None:
    async with mail_server() as server:
        stripped = await mailed(server)
        assert (stripped.answer, stripped.error_class) == (Answer.REFUSED, "smtp")
        denied = await mailed(server, grant="", **PLAIN)
        assert (denied.answer, denied.error_class) == (Answer.REFUSED, "egress-denied")
        assert server.mails == []
        assert (await mailed(server, **PLAIN)).answer is Answer.ACCEPTED


async def test_mails_of_one_alert_are_one_conversation_and_bring_no_foreign_header() -> None:
    closed = hostile(TransitionKind.CLOSED)
    async with mail_server() as server:
        await mailed(server, told(hostile()), **PLAIN)
        await mailed(server, told(closed), **PLAIN)
        first, second = (one.mail for one in server.mails)
        assert first["References"] == second["References"] == second["In-Reply-To"]
        assert str(closed.alert_id) in first["References"]
        assert first["Message-ID"] == f"<{DELIVERY}@acme.test>"
        assert first["Auto-Submitted"] == "auto-generated"
        assert first["Bcc"] is None
        assert {one.to for one in server.mails} == {TO}


async def test_a_mail_that_one_recipient_may_get_is_accepted_and_the_others_are_counted() -> None:
    async with mail_server() as server:
        server.replies = {TO[0]: "550 5.1.1 no such user"}
        attempt = await mailed(server, **PLAIN)
        assert (attempt.answer, attempt.error_class) == (Answer.ACCEPTED, "recipients-refused-1-of-2")
        assert server.mails[0].to == (TO[1],)


@pytest.mark.parametrize(
    ("replies", "answer", "error"),
    [
        (("550 no", "551 no"), Answer.INVALID, "smtp-550"),
        (("550 no", "450 later"), Answer.REJECTED, "smtp-450"),
        (("452 full", "451 later"), Answer.REJECTED, "smtp-451"),
    ],
)
async def test_a_mail_nobody_may_get(replies: tuple[str, str], answer: Answer, error: str) -> None:
    async with mail_server() as server:
        server.replies = dict(zip(TO, replies, strict=True))
        attempt = await mailed(server, **PLAIN)
        assert (attempt.answer, attempt.error_class, server.mails) == (answer, error, [])


@pytest.mark.parametrize(
    ("where", "reply", "answer", "error"),
    [
        ("data_reply", "554 5.7.1 spam", Answer.INVALID, "smtp-554"),
        ("data_reply", "451 4.3.0 later", Answer.REJECTED, "smtp-451"),
        ("sender_reply", "553 not yours", Answer.INVALID, "smtp-553"),
        ("sender_reply", "421 too busy", Answer.REJECTED, "smtp-421"),
    ],
)
async def test_refusals_of_the_whole_mail(where: str, reply: str, answer: Answer, error: str) -> None:
    async with mail_server() as server:
        setattr(server, where, reply)
        attempt = await mailed(server, **PLAIN)
        assert (attempt.answer, attempt.error_class, server.mails) == (answer, error, [])


async def test_silence_after_the_mail_leaves_it_open_whether_it_was_received() -> None:
    async with mail_server() as server:
        server.silent_after_data = True
        attempt = await mailed(server, smtp_timeout=timedelta(seconds=0.5), **PLAIN)
        assert (attempt.answer, attempt.error_class, len(server.mails)) == (Answer.LOST, "timeout", 1)


async def test_addresses_of_the_world_go_out_in_ascii() -> None:
    async with mail_server() as server:
        sender = "Überwachung <vigilo@müller.test>"
        attempt = await mailed(server, to=["ada@bücher.test"], smtp_from=sender, **PLAIN)
        (got,) = server.mails
        assert attempt.answer is Answer.ACCEPTED
        assert (got.sender, got.to) == ("vigilo@xn--mller-kva.test", ("ada@xn--bcher-kva.test",))
        assert got.mail["From"].addresses[0].display_name == "Überwachung"
        assert got.raw.isascii()


async def test_a_mail_server_that_is_not_there() -> None:
    gone = MailServer(port=9)
    assert (await mailed(gone, **PLAIN)).error_class == "connect"
    attempt = await mailed(gone, smtp_host=None, **PLAIN)
    assert (attempt.answer, attempt.error_class) == (Answer.REFUSED, "misconfigured")


@pytest.mark.parametrize("address", ["ada@acme.test\r\nBcc: x@evil.test", "", "no address", "<a@b.test>", "ä@b.test"])
async def test_an_address_that_is_none_sends_nothing(address: str) -> None:
    async with mail_server() as server:
        attempt = await mailed(server, to=[TO[0], address], **PLAIN)
        assert (attempt.answer, attempt.error_class, server.mails) == (Answer.REFUSED, "misconfigured", [])


def test_settings_that_contradict_each_other_name_their_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VIGILO_SMTP_HOST", "mail.acme.test")
    with pytest.raises(BadSettings, match="VIGILO_SMTP_FROM"):
        read(SmtpSettings)
    monkeypatch.setenv("VIGILO_SMTP_FROM", "Vigilo <vigilo@acme.test>")
    password = tmp_path / "password"
    password.write_text("secret\n")
    monkeypatch.setenv("VIGILO_SMTP_PASSWORD_FILE", str(password))
    with pytest.raises(BadSettings, match="VIGILO_SMTP_USERNAME"):
        read(SmtpSettings)
    monkeypatch.setenv("VIGILO_SMTP_USERNAME", "vigilo")
    settings = read(SmtpSettings)
    assert settings.smtp_password is not None and settings.smtp_password.get_secret_value() == "secret"
    monkeypatch.setenv("VIGILO_SMTP_SECURITY", "none")
    with pytest.raises(BadSettings, match="in the clear"):
        read(SmtpSettings)
