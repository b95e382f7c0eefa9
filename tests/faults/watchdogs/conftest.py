from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from services.scheduler import pacing
from tests.fakes.mail_servers import dovecot, postfix
from tests.fakes.pki import Authority, Options, rsa_key
from tests.faults.watchdogs.week import Diary
from vigilo.events.hosts import Protocol
from vigilo.tls.starttls import protocols
from vigilo.tls.starttls.mail import MailService


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that servers reach as users of their own; tmp_path is for ours alone."""
    path = Path(tempfile.mkdtemp(prefix="vigilo-watchdogs-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def mail(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dict[str, int], Diary, Diary]]:
    """Ports by name (smtp, imap, pop3, imaps), and what postfix and dovecot write down."""
    leaf = Authority.create().leaf("mail.test", options=Options(key=rsa_key(2048)))
    for name in ("postfix", "dovecot"):
        (folder / name).mkdir()
    with ExitStack() as stack:
        ports = stack.enter_context(postfix(leaf, folder / "postfix"))
        ports = {**ports, **stack.enter_context(dovecot(leaf, folder / "dovecot"))}
        monkeypatch.setattr(protocols, "DIRECT_PORTS", {ports["imaps"]: Protocol.IMAP, ports["smtps"]: Protocol.SMTP})
        monkeypatch.setattr(pacing, "PACES", _paces(ports))
        diaries = (
            Diary(folder / "postfix" / "log", _postfix, lambda line: ": disconnect from " in line),
            Diary(folder / "dovecot" / "log", _dovecot, lambda line: "-login: Info: Disconnected" in line),
        )
        yield ports, *diaries


def _paces(ports: dict[str, int]) -> dict[MailService, pacing.Pace]:
    """The same, for the ports that stand in for the well-known ones."""
    transport, mailbox = pacing.PACES[MailService.TRANSPORT], pacing.PACES[MailService.MAILBOX]
    return {
        MailService.TRANSPORT: replace(transport, ports=(ports["smtp"], ports["smtps"], 587)),
        MailService.MAILBOX: replace(mailbox, ports=(ports["imap"], ports["imaps"], ports["pop3"], ports["pop3s"])),
    }


def _postfix(line: str) -> str | None:
    """`Nov 23 21:43:40 mx postfix/smtpd[132]: ...` without when and where."""
    return line.split(" mx ", 1)[1] if " mx " in line else None


def _dovecot(line: str) -> str | None:
    """`Nov 23 21:43:41 imap-login: Info: ...` as dovecot says it to syslog."""
    words = line.split(" ", 3)
    return f"dovecot: {words[3].replace(': Info: ', ': ', 1)}" if len(words) == 4 else None
