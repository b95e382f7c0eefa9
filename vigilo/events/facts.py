"""Facts of certificates and staples, as read from the wire. No verdicts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.text import PeerText

NAMES_MAX = 100


class KeyAlgorithm(StrEnum):
    """Public key algorithms; `other` is named in `key_detail`."""

    RSA = "rsa"
    EC = "ec"
    ED25519 = "ed25519"
    ED448 = "ed448"
    DSA = "dsa"
    OTHER = "other"


class WeakKeyHint(StrEnum):
    """What is known to be wrong with an RSA key from its public half alone (CA/B Baseline Requirements 6.1.1.3, 6.1.6).

    `rsa-small-factor`: divisible by a prime below 752. `rsa-close-primes`: factored by 100 rounds of Fermat's method
    (CVE-2022-26320). `roca`: made by a library whose keys can be factored (CVE-2017-15361), by its fingerprint.
    """

    EXPONENT_ONE = "rsa-exponent-one"
    EXPONENT_EVEN = "rsa-exponent-even"
    EXPONENT_SMALL = "rsa-exponent-small"
    SMALL_FACTOR = "rsa-small-factor"
    CLOSE_PRIMES = "rsa-close-primes"
    ROCA = "roca"


class Validation(StrEnum):
    """How far the subject was checked, as the certificate's policy claims (CA/B Forum object identifiers)."""

    DOMAIN = "dv"
    ORGANISATION = "ov"
    INDIVIDUAL = "iv"
    EXTENDED = "ev"


class CertificateFacts(BaseModel):
    """One certificate (RFC 5280). Digests are lower-case hex of SHA-256; the serial keeps its leading zeros.

    `san` holds the DNS names and `san_ip` the IP addresses of the subjectAltName, at most 100 together; `san_count`
    counts every name of any type. `key_bits` is the modulus or field size. `parse_error` is
    set when the bytes are no certificate our parser takes: then only the fingerprint is certain.

    `version` counts from 1, as X.509 is named. `key_usage` is None when the extension is absent. `short_lived`: valid
    for so short a time that the CA need not offer revocation (Baseline Requirements 1.6.1). `ct_poison` marks a
    precertificate, which no server should serve (RFC 6962 section 3.1). Identifiers are hex, at most 64 octets.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    fingerprint_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    spki_sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    subject: PeerText = ""
    issuer: PeerText = ""
    serial_hex: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    san: tuple[PeerText, ...] = ()
    san_ip: tuple[PeerText, ...] = ()
    san_count: int = 0
    key_algorithm: KeyAlgorithm = KeyAlgorithm.OTHER
    key_bits: int | None = None
    key_detail: PeerText | None = None
    signature_algorithm: PeerText = ""
    is_ca: bool = False
    eku: tuple[PeerText, ...] = ()
    ocsp_urls: tuple[PeerText, ...] = ()
    crl_urls: tuple[PeerText, ...] = ()
    must_staple: bool = False
    sct_count: int = 0
    self_issued: bool = False
    parse_error: PeerText | None = None
    version: int | None = None
    ski_hex: str | None = None
    aki_hex: str | None = None
    path_length: int | None = None
    key_usage: tuple[str, ...] | None = None
    name_constraints: bool = False
    ct_poison: bool = False
    policies: tuple[str, ...] = ()
    validation: Validation | None = None
    short_lived: bool | None = None
    ca_issuer_urls: tuple[PeerText, ...] = ()
    weak_key: tuple[WeakKeyHint, ...] = ()


class SctSource(StrEnum):
    """Which way a signed certificate timestamp came (RFC 6962 section 3.3)."""

    EMBEDDED = "embedded"
    TLS_EXTENSION = "tls-extension"
    STAPLE = "staple"


class SctFacts(BaseModel):
    """A signed certificate timestamp of the leaf; its signature is not checked. `log_id` is hex of 32 octets."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    log_id: str = Field(pattern="^[0-9a-f]{64}$")
    timestamp: datetime | None = None
    source: SctSource


class ChainShape(BaseModel):
    """How the served certificates hang together. Positions count from 0, the leaf; at most 32.

    `in_order`: every certificate of the leaf's path certifies the one before it (RFC 5246 section 7.4.2). `extra` do
    not belong to any path from the leaf, `duplicates` came before. `missing_issuer` is who issued the last one of the
    path and was not served: usually a root, which need not be. `missing_issuer_urls` is where that certificate says its
    issuer can be fetched.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    in_order: bool = True
    extra: tuple[int, ...] = ()
    duplicates: tuple[int, ...] = ()
    missing_issuer: PeerText | None = None
    missing_issuer_urls: tuple[PeerText, ...] = ()


class CertificateStatus(StrEnum):
    """What an OCSP response says about the certificate (RFC 6960 section 2.2)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class StapleFacts(BaseModel):
    """A stapled OCSP response (RFC 6066 section 8), measured but not judged.

    `present=False` means asked for and not sent. `signature_valid` is None when the issuer was not served.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    present: bool
    response_status: str | None = None
    certificate_status: CertificateStatus | None = None
    matches_leaf: bool | None = None
    signature_valid: bool | None = None
    produced_at: datetime | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    parse_error: PeerText | None = None


class StapleStatus(StrEnum):
    """The verdict on stapling; `not-offered` = the certificate names no responder."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    INVALID = "invalid"
    NOT_STAPLED = "not-stapled"
    NOT_OFFERED = "not-offered"


class StarttlsFacts(BaseModel):
    """A dialogue that led to TLS. `early_bytes` counts what the peer sent in the clear after its go-ahead and before
    TLS: dropped by us, but a client that keeps it takes a stranger's bytes for the server's (CVE-2011-0411 class).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    early_bytes: int = Field(default=0, ge=0)


class ProxyHeader(BaseModel):
    """A header by which proxies, caches and gateways make themselves known. No judgement.

    `value` is empty for headers whose values only number requests.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    value: PeerText = ""


class HstsFacts(BaseModel):
    """Strict-Transport-Security as answered to GET / (RFC 6797 section 6.1).

    `present` is None when it could not be told: no answer, or a `status` (HTTP) other than 2xx and 3xx. `max_age` is in
    seconds, None for a header that browsers ignore; `parse_error` says why they do, or why nothing could be told.
    `proxy_headers` came with the answer, whatever its status: the first ten.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    present: bool | None = None
    status: int | None = None
    max_age: int | None = Field(default=None, ge=0)
    include_subdomains: bool = False
    preload: bool = False
    parse_error: PeerText | None = None
    proxy_headers: tuple[ProxyHeader, ...] = Field(default=(), max_length=10)
