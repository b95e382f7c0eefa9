"""Which passwords are taken, and how they are kept: argon2id, worked out in a small pool so that nobody waits for it.

Sources: NIST SP 800-63B-4 section 3.1.1 (length instead of composition, a list of common ones), RFC 9106 (argon2id),
OWASP Password Storage Cheat Sheet (parameters).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

SHORTEST: Final = 12
LONGEST: Final = 200
_COMMON: Final = Path(__file__).with_name("common-passwords.txt")

T = TypeVar("T")


class Busy(Exception):
    """More passwords wait to be worked out than is reasonable; try again in a moment."""


def password_problem(password: str, *, email: str) -> str | None:
    """What is wrong with a new password, in words for the person; None if it is good."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    plain = password.strip().lower()
    if plain in {email.lower(), email.lower().partition("@")[0]}:
        return "Do not use your e-mail address."
    if len(set(plain)) < 4 or plain in common_passwords():
        return "This one is among the first that anybody tries."
    return None


@cache
def common_passwords() -> frozenset[str]:
    """Passwords of 12 characters or more that lists of stolen ones are full of; lower case."""
    return frozenset(_COMMON.read_text(encoding="utf-8").split())


def hasher(*, memory_kib: int = 47_104, passes: int = 2) -> PasswordHasher:
    """argon2id as Vigilo keeps passwords: 46 MiB, two passes, one lane."""
    return PasswordHasher(
        time_cost=passes, memory_cost=memory_kib, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
    )


class PasswordWorkers:
    """Works out hashes in `threads` threads; who finds `most_waiting` before him is sent away (Busy).

    Memory is bounded by threads x 46 MiB. argon2-cffi lets other threads run meanwhile.
    """

    def __init__(self, argon: PasswordHasher, *, threads: int = 2, most_waiting: int = 16) -> None:
        self._argon = argon
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._most = threads + most_waiting
        self._inside = 0
        self._nobody = argon.hash("nobody has this password")

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hashed(self, password: str) -> str:
        """What is kept of a password. Raises Busy."""
        return await self._work(partial(self._argon.hash, password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """True if `kept` is of this password. Without `kept` it takes as long, and is False. Raises Busy."""
        same = await self._work(partial(self._verify, kept or self._nobody, password))
        return same and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """True if `kept` was made with other parameters than today's."""
        return self._argon.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._argon.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[[], T]) -> T:
        if self._inside >= self._most:
            raise Busy
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._inside -= 1
