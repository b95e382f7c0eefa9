"""Keys and signatures of the served chain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.inputs import NOON, OTHER_LEAF, rule
from tests.unit.vigilo.alerting.sights import certificate, judge, matter, view, well
from vigilo.alerting import messages
from vigilo.alerting.judgement import Judgement
from vigilo.events.facts import WeakKeyHint
from vigilo.events.triggers import WeakKey

TRUE, FALSE, UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN
ROOT = {"subject": "CN=Example Root", "issuer": "CN=Example Root"}


def of(**changes: Any) -> Judgement:
    """The answer to the usual question about a chain of one such certificate."""
    return judge(WeakKey(), well(path=(certificate(**changes),)))


@pytest.mark.parametrize(
    ("algorithm", "bits", "expected"),
    [
        ("rsa", 2048, FALSE),
        ("rsa", 2047, TRUE),
        ("dsa", 1024, TRUE),
        ("dsa", 3072, FALSE),
        ("ec", 256, FALSE),
        ("ec", 224, TRUE),
        ("ec", None, UNKNOWN),
        ("ed25519", 256, FALSE),
        ("ed448", 456, FALSE),
        ("ML-DSA-44", None, FALSE),
        ("X25519", None, UNKNOWN),
        ("rsa", None, UNKNOWN),
        (None, None, UNKNOWN),
    ],
)
def test_keys_are_measured_by_their_kind(algorithm: str | None, bits: int | None, expected: Judgement) -> None:
    assert of(key_algorithm=algorithm, key_bits=bits) is expected


def test_the_limits_are_the_rule_s() -> None:
    chain = well(path=(certificate(key_algorithm="rsa", key_bits=3072),))
    assert judge(WeakKey(rsa_bits=4096), chain) is TRUE
    edwards = well(path=(certificate(key_algorithm="ed25519", key_bits=256),))
    assert judge(WeakKey(curve_bits=384), edwards) is TRUE
    assert judge(WeakKey(curve_bits=448), well(path=(certificate(key_algorithm="ed448", key_bits=456),))) is FALSE


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("sha256WithRSAEncryption", FALSE),
        ("ecdsa-with-SHA384", FALSE),
        ("Ed25519", FALSE),
        ("ML-DSA-65", FALSE),
        ("RSASSA-PSS with sha256", FALSE),
        ("RSASSA-PSS with sha1", TRUE),
        ("RSASSA-PSS", UNKNOWN),
        ("sha1WithRSAEncryption", TRUE),
        ("ecdsa-with-SHA1", TRUE),
        ("md5WithRSAEncryption", TRUE),
        ("1.2.3.4", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_signatures_are_weak_by_their_hash(signature: str | None, expected: Judgement) -> None:
    assert of(signature_algorithm=signature) is expected


def test_a_root_s_own_signature_does_not_count_but_its_key_does() -> None:
    assert of(**ROOT, signature_algorithm="sha1WithRSAEncryption") is FALSE
    assert of(**ROOT, key_bits=1024) is TRUE
    # Names that could not be read make no root.
    assert of(subject="", issuer="", signature_algorithm="sha1WithRSAEncryption") is TRUE


def test_a_key_that_can_be_factored_is_weak_at_any_length_and_a_small_exponent_is_not() -> None:
    assert of(key_bits=4096, weak_key=(WeakKeyHint.ROCA,)) is TRUE
    assert of(weak_key=(WeakKeyHint.EXPONENT_SMALL,)) is FALSE


def test_the_whole_path_counts_and_the_weak_one_is_named() -> None:
    weak = certificate(
        fingerprint_sha256=OTHER_LEAF,
        subject="CN=Old CA",
        key_bits=1024,
        signature_algorithm="sha1WithRSAEncryption",
    )
    chain = well(path=(certificate(), weak))
    assert judge(WeakKey(), chain) is TRUE
    assert matter(WeakKey(), chain) == "weak key or signature: rsa 1024 bits in CN=Old CA and 1 more"
    told = messages.facts(rule(trigger=WeakKey()), view(chain), at=NOON)
    assert (told.fingerprint_sha256, told.weak) == (OTHER_LEAF, "rsa 1024 bits in CN=Old CA and 1 more")
    assert messages.facts(rule(), view(chain), at=NOON).weak is None


def test_one_unknown_certificate_keeps_the_answer_from_being_no() -> None:
    assert judge(WeakKey(), well(path=(certificate(), certificate(key_algorithm=None)))) is UNKNOWN
    assert judge(WeakKey(), well(path=(certificate(key_bits=512), certificate(key_algorithm=None)))) is TRUE
