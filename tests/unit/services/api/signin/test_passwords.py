from __future__ import annotations

import asyncio
import threading

import pytest

from services.api.signin.passwords import Busy, PasswordWorkers, common_passwords, hasher, password_problem

QUICK = hasher(memory_kib=64, passes=1)
EMAIL = "ada.lovelace@example.org"


@pytest.mark.parametrize(
    "password",
    [
        "x" * 11,
        "x" * 201,
        EMAIL,
        EMAIL.upper(),
        "ada.lovelace",
        "password1234",
        "PASSWORD1234",
        "abababababab",
        "1" * 40,
    ],
)
def test_what_anybody_would_try_is_refused(password: str) -> None:
    assert password_problem(password, email=EMAIL)


@pytest.mark.parametrize("password", ["correct horse", "välkommen till oss", "🐢🐇🐢🐇🦊 slow and steady", "x1y2" * 50])
def test_length_is_what_counts(password: str) -> None:
    assert password_problem(password, email=EMAIL) is None


def test_the_list_holds_only_what_the_length_lets_through() -> None:
    assert len(common_passwords()) > 100
    assert not [one for one in common_passwords() if len(one) < 11 or one != one.lower()]


def test_the_parameters_are_those_that_are_written_down() -> None:
    kept = hasher().hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$")


async def test_a_password_matches_its_own_hash_only() -> None:
    workers = PasswordWorkers(QUICK)
    kept = await workers.hashed("correct horse")
    assert await workers.matches(kept, "correct horse")
    assert not await workers.matches(kept, "battery staple")
    assert not await workers.matches("not a hash", "correct horse")
    assert not workers.is_outdated(kept)
    assert workers.is_outdated(hasher(memory_kib=32, passes=1).hash("correct horse"))
    workers.close()


class Held:
    """Stands in the pool's threads until it is let go, and counts who was verified against what."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.seen: list[str] = []

    def hash(self, password: str) -> str:
        return f"hash of {password}"

    def verify(self, kept: str, password: str) -> bool:
        self.seen.append(kept)
        assert self.let_go.wait(20)
        return kept == self.hash(password)


async def test_without_an_account_a_hash_is_worked_out_all_the_same() -> None:
    held = Held()
    held.let_go.set()
    workers = PasswordWorkers(held)  # type: ignore[arg-type]
    assert not await workers.matches(None, "nobody has this password")
    assert held.seen == ["hash of nobody has this password"]
    workers.close()


async def test_who_finds_too_many_waiting_is_sent_away_and_the_rest_are_served() -> None:
    held = Held()
    workers = PasswordWorkers(held, threads=2, most_waiting=3)  # type: ignore[arg-type]
    waiting = [asyncio.create_task(workers.matches("hash of x", "x")) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await workers.hashed("one too many")
    held.let_go.set()
    assert await asyncio.gather(*waiting) == [True] * 5
    assert await workers.hashed("now there is room") == "hash of now there is room"
    workers.close()
