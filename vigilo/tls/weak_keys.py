"""RSA keys that are known to be weak by their public half alone. Pure.

Sources: CA/B Baseline Requirements 6.1.1.3 and 6.1.6 (small factors, exponent, 100 rounds of Fermat's method); Nemec et
al., "The Return of Coppersmith's Attack", CCS 2017, section 2.2 (fingerprint of keys that are powers of 65537 modulo
every small prime).
"""

from __future__ import annotations

from functools import cache
from math import gcd, isqrt, prod

from vigilo.events.facts import WeakKeyHint

MODULUS_MAX = 16384  # bits; what is larger costs too much to look into
_FACTORS_BELOW = 752
_FERMAT_ROUNDS = 100
_ROCA_PRIMES_TO = 167
_ROCA_GENERATOR = 65537
_ROCA_MODULUS_MIN = 500  # bits; the library's shortest keys are of 512
# Squares are one of these modulo 64: spares three roots of four and more.
_SQUARES_64 = frozenset(number * number % 64 for number in range(64))


def weak_rsa(modulus: int, exponent: int) -> tuple[WeakKeyHint, ...]:
    """What is wrong with that public key, as far as it shows; empty for a usual one. Bounded for any numbers."""
    found = list(_exponent(exponent))
    if 0 < modulus.bit_length() <= MODULUS_MAX:
        checks = (
            (WeakKeyHint.SMALL_FACTOR, _has_small_factor),
            (WeakKeyHint.CLOSE_PRIMES, _has_close_primes),
            (WeakKeyHint.ROCA, _is_roca),
        )
        found.extend(hint for hint, check in checks if check(modulus))
    return tuple(found)


def _exponent(exponent: int) -> tuple[WeakKeyHint, ...]:
    if exponent == 1:
        return (WeakKeyHint.EXPONENT_ONE,)
    if exponent % 2 == 0:
        return (WeakKeyHint.EXPONENT_EVEN,)
    return (WeakKeyHint.EXPONENT_SMALL,) if exponent < _ROCA_GENERATOR else ()


def _has_small_factor(modulus: int) -> bool:
    return gcd(modulus, _product()) != 1


def _has_close_primes(modulus: int) -> bool:
    root = isqrt(modulus)
    if root * root == modulus:
        return True
    root += 1
    rest = root * root - modulus
    for _ in range(_FERMAT_ROUNDS):
        if rest % 64 in _SQUARES_64 and isqrt(rest) ** 2 == rest:
            return True
        rest += 2 * root + 1
        root += 1
    return False


def _is_roca(modulus: int) -> bool:
    return modulus.bit_length() >= _ROCA_MODULUS_MIN and all(modulus % prime in powers for prime, powers in _markers())


@cache
def _primes(below: int) -> tuple[int, ...]:
    return tuple(n for n in range(2, below) if all(n % divisor for divisor in range(2, isqrt(n) + 1)))


@cache
def _product() -> int:
    return prod(_primes(_FACTORS_BELOW))


@cache
def _markers() -> tuple[tuple[int, frozenset[int]], ...]:
    """For each small prime the powers of 65537; primes of which it generates everything tell nothing."""
    found = []
    for prime in _primes(_ROCA_PRIMES_TO + 1):
        powers = frozenset(pow(_ROCA_GENERATOR, exponent, prime) for exponent in range(prime - 1))
        if len(powers) < prime - 1:
            found.append((prime, powers))
    return tuple(found)
