"""What an alert rule may ask of a host: one model per question, with its parameters and their limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.cards import Grade


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ExpiresInLessThan(_Part):
    """True when less than `days` (or `share` of the lifetime, whichever is smaller) is left.

    `include=leaf` looks at the leaf alone, `path` at every certificate served.
    """

    kind: Literal["expires-in-less-than"] = "expires-in-less-than"
    days: float = Field(gt=0, le=3650)
    share: float | None = Field(default=None, gt=0, lt=1)
    include: Literal["leaf", "path"] = "leaf"


class GradeBelow(_Part):
    """True when the report card's letter is worse than `grade`. A scan without a letter says nothing."""

    kind: Literal["grade-below"] = "grade-below"
    grade: Grade


class ChainValidationFails(_Part):
    """True when the chain as served does not validate (untrusted, incomplete, expired, bad signature ...)."""

    kind: Literal["chain-validation-fails"] = "chain-validation-fails"


class OcspStaplingStops(_Part):
    """True when a host that stapled a good OCSP response within 30 days no longer does, though it still should."""

    kind: Literal["ocsp-stapling-stops"] = "ocsp-stapling-stops"


class NameMismatch(_Part):
    """True when the certificate is not for the name that was asked for (RFC 9525)."""

    kind: Literal["name-mismatch"] = "name-mismatch"


class Unreachable(_Part):
    """True when no connection, or no answer, came from the host."""

    kind: Literal["unreachable"] = "unreachable"


class NotTls(_Part):
    """True when something answered that does not speak TLS (or refused STARTTLS)."""

    kind: Literal["not-tls"] = "not-tls"


class ScanOverdue(_Part):
    """True when nobody has performed a scan of the host for `intervals` times its interval."""

    kind: Literal["scan-overdue"] = "scan-overdue"
    intervals: float = Field(default=3, ge=2, le=100)


class ProtocolBelow(_Part):
    """True when the host accepts a version older than `version`; with `judged=best` when its best one is older."""

    kind: Literal["protocol-below"] = "protocol-below"
    version: Literal["TLSv1.1", "TLSv1.2", "TLSv1.3"] = "TLSv1.2"
    judged: Literal["accepted", "best"] = "accepted"


class WeakKey(_Part):
    """True when a key or signature of the served chain is weaker than this.

    RSA and DSA keys are measured by `rsa_bits`, elliptic-curve keys by `curve_bits`; an RSA key that its public half
    gives away is weak at any length. MD5 and SHA-1 signatures are weak, except a root's own: nobody relies on it.
    """

    kind: Literal["weak-key"] = "weak-key"
    rsa_bits: int = Field(default=2048, ge=1024, le=16_384)
    curve_bits: int = Field(default=256, ge=160, le=521)


class CertificateChanged(_Part):
    """A notice, not a state: the host serves another certificate of its own than before.

    `which=unexpected`: only changes that a mere renewal would not make (vigilo.events.cards.Unexpected).
    """

    kind: Literal["certificate-changed"] = "certificate-changed"
    which: Literal["any", "unexpected"] = "unexpected"


Trigger = Annotated[
    ExpiresInLessThan
    | GradeBelow
    | ChainValidationFails
    | OcspStaplingStops
    | NameMismatch
    | Unreachable
    | NotTls
    | ScanOverdue
    | ProtocolBelow
    | WeakKey
    | CertificateChanged,
    Field(discriminator="kind"),
]
