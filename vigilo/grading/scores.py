"""The three category scores of the SSL Server Rating Guide and their weighted sum, 0 to 100. Pure.

Source: Qualys SSL Labs, SSL Server Rating Guide, 2009e for scales, weights and letters; later versions changed only the
points of SSL 2 and TLS 1.3. It says nothing of rounding: a category's half point is dropped, then the sum's rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vigilo.events.cards import Grade
from vigilo.events.facts import CertificateFacts, KeyAlgorithm
from vigilo.events.posture import Posture, Support
from vigilo.events.scans import Snapshot
from vigilo.tls.suite_traits import SuiteTraits, suite_traits

PROTOCOL_WEIGHT, KEY_EXCHANGE_WEIGHT, CIPHER_WEIGHT = 30, 30, 40
# SSL 2 at zero came after 2009e, which gave it 20.
PROTOCOL_SCORES: Mapping[str, int] = MappingProxyType(
    {"SSLv2": 0, "SSLv3": 80, "TLSv1.0": 90, "TLSv1": 90, "TLSv1.1": 95, "TLSv1.2": 100, "TLSv1.3": 100}
)
# Below so many RSA bits, or key bits of the cipher: so many points.
_KEY_EXCHANGE_STEPS = ((512, 20), (1024, 40), (2048, 80), (4096, 90))
_CIPHER_STEPS = ((1, 0), (128, 20), (256, 80))
_LETTERS = ((80, Grade.A), (65, Grade.B), (50, Grade.C), (35, Grade.D), (20, Grade.E))
EXPORT_RSA_BITS = 512

# NIST SP 800-57 part 1 table 2: from so many bits of a curve's order, so many of RSA. Below 160, RFC 3766 section 5.
_RSA_OF_CURVE = ((512, 15360), (384, 7680), (256, 3072), (224, 2048), (160, 1024), (112, 512), (0, 0))
# Bits of a curve by its group. Of a hybrid the classical half counts: the guide does not know the other.
_GROUP_CURVES: Mapping[str, int] = MappingProxyType(
    {"x25519": 256, "x448": 448, "X25519MLKEM768": 256, "SecP256r1MLKEM768": 256, "SecP384r1MLKEM1024": 384}
    | {"curveSM2MLKEM768": 256, "X25519Kyber768Draft00": 256, "SecP256r1Kyber768Draft00": 256, "curveSM2": 256}
    # Security categories 1, 3 and 5 are those of AES-128, 192 and 256 (FIPS 203 section 8).
    | {"MLKEM512": 256, "MLKEM768": 384, "MLKEM1024": 512}
)
_SIZED_GROUP = re.compile(r"(?P<family>sect|secp|brainpoolP|GC|ffdhe)(?P<bits>\d+)")


@dataclass(frozen=True, slots=True)
class Scores:
    """Points 0 to 100 in each category; None where nothing is known of it."""

    protocol: int | None
    key_exchange: int | None
    cipher: int | None

    @property
    def total(self) -> int | None:
        """The weighted sum; a zero in any category makes it zero. None while a category is not known."""
        if 0 in {self.protocol, self.key_exchange, self.cipher}:
            return 0
        if self.protocol is None or self.key_exchange is None or self.cipher is None:
            return None
        weighted = (
            self.protocol * PROTOCOL_WEIGHT + self.key_exchange * KEY_EXCHANGE_WEIGHT + self.cipher * CIPHER_WEIGHT
        )
        return weighted // 100

    @property
    def letter(self) -> Grade | None:
        """What the sum is worth before any rule: A to F, never A+ or A-."""
        return None if self.total is None else letter_of(self.total)


def letter_of(total: int) -> Grade:
    """A from 80, B from 65, C from 50, D from 35, E from 20, else F."""
    return next((grade for least, grade in _LETTERS if total >= least), Grade.F)


def score_protocols(versions: Iterable[str]) -> int | None:
    """Half of best and worst together; None for no version that the guide knows."""
    points = [PROTOCOL_SCORES[version] for version in versions if version in PROTOCOL_SCORES]
    return (max(points) + min(points)) // 2 if points else None


def score_ciphers(strengths: Iterable[int]) -> int | None:
    """Half of strongest and weakest together, in bits of the cipher's key; None for none."""
    points = [_step(bits, _CIPHER_STEPS) for bits in strengths]
    return (max(points) + min(points)) // 2 if points else None


def score_key_exchange(rsa_bits: int) -> int:
    """The weakest link of key and parameters, in RSA bits; 0 means anonymous."""
    return 0 if rsa_bits <= 0 else _step(rsa_bits, _KEY_EXCHANGE_STEPS)


def _step(bits: int, steps: tuple[tuple[int, int], ...]) -> int:
    return next((points for below, points in steps if bits < below), 100)


def key_rsa_bits(certificate: CertificateFacts) -> int | None:
    """How long an RSA key of that strength would be; None where the size or the algorithm is not known."""
    match certificate.key_algorithm:
        case KeyAlgorithm.ED25519:
            return rsa_bits_of_curve(256)
        case KeyAlgorithm.ED448:
            return rsa_bits_of_curve(448)
        case KeyAlgorithm.EC:
            return None if certificate.key_bits is None else rsa_bits_of_curve(certificate.key_bits)
        case KeyAlgorithm.RSA | KeyAlgorithm.DSA:
            return certificate.key_bits
        case _:
            return None


def rsa_bits_of_curve(bits: int) -> int:
    """The length of an RSA modulus of comparable strength (NIST SP 800-57 part 1 table 2)."""
    return next(rsa for least, rsa in _RSA_OF_CURVE if bits >= least)


def group_rsa_bits(group: str) -> int | None:
    """The same for a key agreement group by its IANA name; None for one we do not know."""
    if group in _GROUP_CURVES:
        return rsa_bits_of_curve(_GROUP_CURVES[group])
    sized = _SIZED_GROUP.match(group)
    if sized is None:
        return None
    bits = int(sized["bits"])
    return bits if sized["family"] == "ffdhe" else rsa_bits_of_curve(bits)


def scores(snapshot: Snapshot) -> Scores:
    """The scores of what is known to be accepted: by the posture, or else by the one handshake that was made."""
    suites = accepted_suites(snapshot)
    strengths = [suite.bits for suite in suites if suite.bits is not None]
    return Scores(
        protocol=score_protocols(accepted_versions(snapshot)),
        key_exchange=_key_exchange(snapshot, suites),
        cipher=score_ciphers(strengths),
    )


def accepted_versions(snapshot: Snapshot) -> tuple[str, ...]:
    """Every version known to be accepted, oldest first."""
    known = snapshot.posture.supporting(Support.ACCEPTED) if snapshot.posture is not None else ()
    return known or ((snapshot.tls_version,) if snapshot.tls_version else ())


def accepted_suites(snapshot: Snapshot) -> tuple[SuiteTraits, ...]:
    """The traits of every suite known to be accepted, each once."""
    versions = snapshot.posture.versions if snapshot.posture is not None else ()
    names = [name for version in versions for name in version.suites] or [snapshot.cipher_suite or ""]
    found = (suite_traits(name) for name in dict.fromkeys(names))
    return tuple(suite for suite in found if suite is not None)


def _key_exchange(snapshot: Snapshot, suites: tuple[SuiteTraits, ...]) -> int | None:
    if any(suite.anonymous for suite in suites):
        return 0
    key = key_rsa_bits(snapshot.chain[0]) if snapshot.chain else None
    if key is None:
        return None
    export = [EXPORT_RSA_BITS] if any(suite.export for suite in suites) else []
    return score_key_exchange(min([key, *export, *parameter_rsa_bits(snapshot)]))


def parameter_rsa_bits(snapshot: Snapshot) -> tuple[int, ...]:
    """The strength of every DH prime and group known to be accepted, in RSA bits."""
    posture = snapshot.posture
    groups = _groups(posture) if posture is not None else ()
    known = [group_rsa_bits(group) for group in groups or (snapshot.group or "",)]
    dh = [posture.dh_bits] if posture is not None else []
    return tuple(bits for bits in (*known, *dh) if bits is not None)


def _groups(posture: Posture) -> tuple[str, ...]:
    return tuple(group for one in (posture.groups, posture.groups_tls12) if one is not None for group in one.groups)
