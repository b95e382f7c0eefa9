"""What a row of the table is: a server, a certificate, and the letters the sources demand of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from OpenSSL import SSL

from vigilo.events.cards import Grade
from vigilo.events.hosts import Trust

NAME = "shop.test"
HALF_A_YEAR = 180 * 86400
_YEAR = "max-age=31536000"
AEAD = "ECDHE+AESGCM:ECDHE+CHACHA20"
NGINX_AEAD = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"


class Topic(StrEnum):
    """What a deciding rule is about; which rule ids those are in each rulebook is the test's business."""

    TRUST = "chain of trust"
    NAME = "name"
    KEY = "key size"
    SIGNATURE = "signature algorithm"
    LIFETIME = "lifetime"
    STAPLE = "stapling"
    VERSIONS = "protocol versions"
    TLS13 = "no TLS 1.3"
    CIPHERS = "weak ciphers"
    AEAD = "no AEAD"
    FORWARD_SECRECY = "no forward secrecy"
    KEY_EXCHANGE = "static RSA or FFDHE"
    DH = "DH size"
    COMPRESSION = "compression"
    RENEGOTIATION = "renegotiation"
    VULNERABILITY = "known hole"
    HSTS = "HSTS"
    POST_QUANTUM = "post-quantum group"


Labs = Literal["A+", "A", "A-", "B", "C", "F", "T", "M"]
Letters = tuple[Grade, Topic | None, Labs | None, Topic | None]  # and what decides each


@dataclass(frozen=True, slots=True)
class OpenSsl:
    """A server of our OpenSSL, which knows hybrid groups. `header` is its Strict-Transport-Security, None = none.

    `https` False: a port that is no web server's. `staple`: what it staples, see certificates.staple.
    """

    oldest: int = SSL.TLS1_2_VERSION
    newest: int = SSL.TLS1_3_VERSION
    ciphers: str = AEAD
    header: str | None = _YEAR
    status: int = 200
    https: bool = True
    staple: Literal["good", "expired", "revoked", "forged"] | None = None
    client_certificate: bool = False

    def __str__(self) -> str:
        kind = "OpenSSL" if self.https else "OpenSSL, no web server"
        staple = f", {self.staple} staple" if self.staple else ""
        header = f", HSTS {self.header or 'none'}" if self.https and self.header != _YEAR else ""
        return f"{kind}, {self.ciphers}{staple}{header}"


@dataclass(frozen=True, slots=True)
class Nginx:
    """The distribution's nginx, without hybrid groups; HSTS of a year."""

    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "nginx: " + " ".join(self.lines)


@dataclass(frozen=True, slots=True)
class TlsLite:
    """tlslite-ng by its own names; no web server."""

    ciphers: tuple[str, ...]
    key_exchanges: tuple[str, ...] = ("ecdhe_rsa",)
    oldest: tuple[int, int] = (3, 3)
    newest: tuple[int, int] = (3, 4)
    renegotiation_info: bool = True

    def __str__(self) -> str:
        return f"tlslite-ng, {' '.join(self.ciphers)} by {' '.join(self.key_exchanges)}"


@dataclass(frozen=True, slots=True)
class InFront:
    """An old server before an OpenSSL one on the same port; no web server. See split_server.SplitServer."""

    kind: Literal["ssl2", "heartbleed", "robot", "export", "compression"]

    def __str__(self) -> str:
        return f"scripted {self.kind} in front of OpenSSL"


@dataclass(frozen=True, slots=True)
class Smtp:
    """OpenSSL behind SMTP's STARTTLS."""

    def __str__(self) -> str:
        return "SMTP with STARTTLS"


Server = OpenSsl | Nginx | TlsLite | InFront | Smtp


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration and what it deserves. `certificate` is a profile of certificates.PROFILES.

    `name` None: asked for by address. `graded_at` None: now.
    `rule` and `labs_rule` name what decides the letter, None for A+. `labs` None: the sources of the second rulebook do
    not decide it. `because` is the argument, with its source.
    """

    id: str
    server: Server
    grade: Grade
    rule: Topic | None
    labs: Labs | None
    labs_rule: Topic | None
    because: str
    certificate: str = "good"
    trust: Trust = Trust.PUBLIC
    name: str | None = NAME
    graded_at: datetime | None = None

    @property
    def profile(self) -> str:
        """The certificate served; servers whose suites are RSA's have an RSA key."""
        is_ec = isinstance(self.server, OpenSsl | Smtp) or self.server == InFront("ssl2")
        return "rsa-2048" if self.certificate == "good" and not is_ec else self.certificate
