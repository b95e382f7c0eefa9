from __future__ import annotations

import random
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import pki
from vigilo.events.facts import WeakKeyHint
from vigilo.tls.weak_keys import weak_rsa

SMALL = [n for n in range(2, 168) if all(n % d for d in range(2, n))]


def is_prime(number: int) -> bool:
    """Fermat's test with a few bases: enough for numbers made here at random."""
    return all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7))


def prime_from(rng: random.Random, bits: int) -> int:
    while not is_prime(found := rng.getrandbits(bits) | 1 | 3 << (bits - 2)):
        pass
    return found


def infineon_prime(rng: random.Random) -> int:
    """A prime as the library of CVE-2017-15361 makes them: k * M + (65537 ** a mod M)."""
    product = prod(SMALL)
    while True:
        candidate = rng.getrandbits(37) * product + pow(65537, rng.getrandbits(60), product)
        if is_prime(candidate):
            return candidate


def test_a_usual_key_has_no_hints() -> None:
    numbers = pki.rsa_key(2048).public_key().public_numbers()
    assert weak_rsa(numbers.n, numbers.e) == ()


@pytest.mark.parametrize(
    ("exponent", "hint"),
    [
        (1, WeakKeyHint.EXPONENT_ONE),
        (3, WeakKeyHint.EXPONENT_SMALL),
        (65536, WeakKeyHint.EXPONENT_EVEN),
        (0, WeakKeyHint.EXPONENT_EVEN),
    ],
)
def test_exponents(exponent: int, hint: WeakKeyHint) -> None:
    rng = random.Random(1)
    assert weak_rsa(prime_from(rng, 256) * prime_from(rng, 256), exponent) == (hint,)


def test_a_small_factor() -> None:
    assert weak_rsa(743 * prime_from(random.Random(2), 512), 65537) == (WeakKeyHint.SMALL_FACTOR,)


def test_primes_close_to_each_other() -> None:
    first = second = prime_from(random.Random(3), 512)
    while not is_prime(second := second + 2):
        pass
    assert weak_rsa(first * second, 65537) == (WeakKeyHint.CLOSE_PRIMES,)
    assert weak_rsa(first * first, 65537) == (WeakKeyHint.CLOSE_PRIMES,)


def test_the_fingerprint_of_roca_and_of_nothing_else() -> None:
    rng = random.Random(4)
    assert weak_rsa(infineon_prime(rng) * infineon_prime(rng), 65537) == (WeakKeyHint.ROCA,)
    assert all(weak_rsa(prime_from(rng, 256) * prime_from(rng, 257), 65537) == () for _ in range(10))


@given(st.integers(0, 2**5000), st.integers(0, 2**5000))
@settings(deadline=2000, max_examples=50)
def test_any_numbers_end(modulus: int, exponent: int) -> None:
    assert len(weak_rsa(modulus, exponent)) <= len(WeakKeyHint)


def test_a_monstrous_modulus_is_not_looked_into() -> None:
    assert weak_rsa(1 << 900_000, 65537) == ()
