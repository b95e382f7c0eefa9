"""People of workspace one, and browsers for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from uuid import UUID, uuid4

import pytest

from services.api.signin.passwords import hasher
from tests.fakes.api_server import ApiServer, Workspace
from tests.fakes.browser import Browser

PASSWORD = "a sentence nobody would guess"


@dataclass(frozen=True)
class Person:
    """A local account that is a member of workspace one."""

    user_id: UUID
    email: str
    password: str = PASSWORD


@cache
def kept_password() -> str:
    """The hash of PASSWORD, worked out once."""
    return hasher().hash(PASSWORD)


def add_person(api: ApiServer, *, role: str | None = "member", kept: str | None = None, at: Workspace) -> Person:
    """A new local account and its membership."""
    person = Person(uuid4(), f"{uuid4().hex[:10]}@example.org")
    now = datetime.now(UTC)
    api.rows(
        "insert into config.users (user_id, email, name, password_hash, created_at, updated_at) "
        "values (%s, %s, 'Ada', %s, %s, %s) returning user_id",
        person.user_id,
        person.email,
        kept or kept_password(),
        now,
        now,
    )
    if role is not None:
        api.rows(
            "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
            "values (%s, %s, %s, 'local', %s, %s) returning user_id",
            at.workspace_id,
            person.user_id,
            role,
            now,
            now,
        )
    return person


@pytest.fixture
def person(api: ApiServer) -> Person:
    """A member of workspace one."""
    return add_person(api, at=api.one)


@pytest.fixture
def browser(api: ApiServer) -> Iterator[Browser]:
    """A browser nobody is signed in with."""
    with Browser(api.base_url) as made:
        yield made


@pytest.fixture
def another(api: ApiServer) -> Iterator[Callable[[], Browser]]:
    """More browsers."""
    made: list[Browser] = []

    def make() -> Browser:
        made.append(Browser(api.base_url))
        return made[-1]

    yield make
    for one in made:
        one.client.close()


@pytest.fixture(autouse=True)
def no_attempts_so_far(api: ApiServer) -> None:
    """All tests come from one address, which would run out of attempts."""
    api.rows("delete from config.sign_in_failures returning bucket")


def told(api: ApiServer, person: Person, count: int) -> list[tuple[str, object]]:
    """The same, once there are so many: a refusal is written after it was answered. At most five seconds."""
    deadline = time.monotonic() + 5
    while len(entries := audited(api, person)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return entries


def audited(api: ApiServer, person: Person) -> list[tuple[str, object]]:
    """Action and `after` of the audit entries about this person, oldest first."""
    rows = api.rows(
        "select action, after from config.audit_entries where subject = %s order by sequence", f"user:{person.user_id}"
    )
    return [(row["action"], row["after"]) for row in rows]
