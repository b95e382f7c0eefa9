"""Worked examples: the sums are done by hand from the guide's tables, not by our code."""

from __future__ import annotations

from functools import cache

import pytest

from tests.fakes.pki import Authority
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import Grade
from vigilo.events.facts import CertificateFacts, KeyAlgorithm
from vigilo.events.posture import GroupsPosture, Posture, Support, VersionPosture
from vigilo.events.scans import Snapshot
from vigilo.grading.scores import (
    Scores,
    group_rsa_bits,
    key_rsa_bits,
    letter_of,
    score_ciphers,
    score_key_exchange,
    score_protocols,
    scores,
)

AES128, AES256 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
ALL = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")


@cache
def chain() -> tuple[bytes, ...]:
    return Authority.create("Scores").leaf("api.acme.test").chain_der


def seen(
    versions: str,
    *suites: str,
    key: tuple[KeyAlgorithm, int] = (KeyAlgorithm.RSA, 2048),
    groups: tuple[str, ...] = (),
    dh_bits: int | None = None,
) -> Snapshot:
    accepted = tuple(f"TLSv{one}" if one[0].isdigit() else one for one in versions.split())
    found = Posture(
        versions=tuple(
            VersionPosture(version=one, support=Support.ACCEPTED, suites=suites, complete=True)
            if one in accepted
            else VersionPosture(version=one, support=Support.REJECTED)
            for one in ALL
        ),
        groups=GroupsPosture(groups=groups, complete=True),
        dh_bits=dh_bits,
    )
    base = snapshot(chain(), posture=found)
    leaf = base.chain[0].model_copy(update={"key_algorithm": key[0], "key_bits": key[1]})
    return base.model_copy(update={"chain": (leaf, *base.chain[1:])})


@pytest.mark.parametrize(
    ("given", "points", "total", "letter"),
    [
        # 100*.3 + 90*.3 + (80+100)/2*.4 = 30 + 27 + 36
        (seen("1.2 1.3", AES128, AES256), (100, 90, 90), 93, Grade.A),
        # RSA 4096 and P-384 (7680 bits of RSA), AES-256 only: everything at its best.
        (
            seen("1.2 1.3", AES256, key=(KeyAlgorithm.RSA, 4096), groups=("secp384r1",)),
            (100, 100, 100),
            100,
            Grade.A,
        ),
        # X25519 is worth 3072 bits: the parameter, not the key, is the weakest link. 30 + 27 + 40
        (seen("1.2 1.3", AES256, key=(KeyAlgorithm.RSA, 4096), groups=("x25519",)), (100, 90, 100), 97, Grade.A),
        # (90+100)/2 = 95: 28.5 + 27 + 36 = 91.5
        (seen("1.0 1.1 1.2 1.3", AES128, AES256), (95, 90, 90), 91, Grade.A),
        # (80+90)/2 = 85; RC4 and 3DES: (80+20)/2 = 50: 25.5 + 27 + 20 = 72.5
        (
            seen("SSLv3 1.0", "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
            (85, 90, 50),
            72,
            Grade.B,
        ),
        # DH of 1024 bits under a key of 2048: 30 + 24 + 36
        (seen("1.2", AES128, AES256, dh_bits=1024), (100, 80, 90), 90, Grade.A),
        # DH of 768 bits: 30 + 12 + 36
        (seen("1.2", AES128, AES256, dh_bits=768), (100, 40, 90), 78, Grade.B),
        # Export: RSA of 512 bits, ciphers (20+20)/2: 27 + 12 + 8
        (seen("1.0", "TLS_RSA_EXPORT_WITH_RC4_40_MD5"), (90, 40, 20), 47, Grade.D),
        # A zero anywhere makes all of it zero: anonymous key exchange, then no encryption, then SSL 2 alone.
        (seen("1.2", AES256, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"), (100, 0, 100), 0, Grade.F),
        (seen("1.2", "TLS_RSA_WITH_NULL_SHA"), (100, 90, 0), 0, Grade.F),
        (seen("SSLv2", "TLS_RSA_WITH_RC4_128_MD5"), (0, 90, 80), 0, Grade.F),
        # SSL 2 beside better: (0+100)/2 = 50: 15 + 27 + 36
        (seen("SSLv2 1.2", AES128, AES256), (50, 90, 90), 78, Grade.B),
    ],
)
def test_worked_examples(given: Snapshot, points: tuple[int, int, int], total: int, letter: Grade) -> None:
    found = scores(given)
    assert (found.protocol, found.key_exchange, found.cipher) == points
    assert (found.total, found.letter) == (total, letter)


def test_without_a_posture_the_one_handshake_counts() -> None:
    light = seen("1.2").model_copy(update={"posture": None, "group": "x25519"})
    assert scores(light) == Scores(100, 90, 100)


def test_what_is_not_known_makes_no_sum() -> None:
    unknown = seen("1.2", AES256, key=(KeyAlgorithm.OTHER, 0))
    assert scores(unknown) == Scores(100, None, 100)
    assert scores(unknown).total is None
    assert scores(unknown).letter is None
    assert Scores(None, None, 0).total == 0
    assert scores(snapshot(chain(), tls_version=None, cipher_suite=None)).protocol is None


@pytest.mark.parametrize(("least", "letter"), [(80, "A"), (65, "B"), (50, "C"), (35, "D"), (20, "E"), (0, "F")])
def test_letters_begin_where_the_guide_says(least: int, letter: str) -> None:
    assert letter_of(least) is Grade(letter)
    assert letter_of(least - 1) is not Grade(letter) or letter == "F"


@pytest.mark.parametrize(
    ("bits", "points"),
    [(0, 0), (511, 20), (512, 40), (1023, 40), (1024, 80), (2047, 80), (2048, 90), (4095, 90), (4096, 100)],
)
def test_key_exchange_steps(bits: int, points: int) -> None:
    assert score_key_exchange(bits) == points


@pytest.mark.parametrize(("bits", "points"), [(0, 0), (40, 20), (112, 20), (127, 20), (128, 80), (255, 80), (256, 100)])
def test_cipher_steps(bits: int, points: int) -> None:
    assert score_ciphers([bits]) == points
    assert score_ciphers([]) is None


def test_protocols_count_best_and_worst_only() -> None:
    assert score_protocols(["TLSv1.0", "TLSv1.1", "TLSv1.3"]) == score_protocols(["TLSv1.3", "TLSv1.0"]) == 95
    assert score_protocols(["SSLv3"]) == 80


@pytest.mark.parametrize(
    ("group", "bits"),
    [
        ("secp160r1", 1024),
        ("secp224r1", 2048),
        ("secp256r1", 3072),
        ("x25519", 3072),
        ("X25519MLKEM768", 3072),
        ("secp384r1", 7680),
        ("x448", 7680),
        ("secp521r1", 15360),
        ("ffdhe2048", 2048),
        ("brainpoolP512r1tls13", 15360),
        ("0x7777", None),
    ],
)
def test_groups_in_bits_of_rsa(group: str, bits: int | None) -> None:
    """SP 800-57; a curve of 256 bits is worth 90 points, not testssl's 100: the guide counts in bits of RSA."""
    assert group_rsa_bits(group) == bits


@pytest.mark.parametrize(
    ("algorithm", "bits", "rsa"),
    [
        (KeyAlgorithm.EC, 256, 3072),
        (KeyAlgorithm.ED25519, None, 3072),
        (KeyAlgorithm.ED448, None, 7680),
        (KeyAlgorithm.RSA, 3072, 3072),
        (KeyAlgorithm.DSA, 1024, 1024),
        (KeyAlgorithm.EC, None, None),
        (KeyAlgorithm.OTHER, 2048, None),
    ],
)
def test_keys_in_bits_of_rsa(algorithm: KeyAlgorithm, bits: int | None, rsa: int | None) -> None:
    facts = CertificateFacts(fingerprint_sha256="0" * 64, key_algorithm=algorithm, key_bits=bits)
    assert key_rsa_bits(facts) == rsa
