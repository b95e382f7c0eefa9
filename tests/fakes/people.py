"""Users as a sign-in leaves them: an account, a place in a workspace, a personal token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx
import psycopg

from services.api.auth import new_token, token_sha256
from tests.fakes.api_server import ApiServer, Workspace
from vigilo.events.ids import new_id


@dataclass(frozen=True)
class Person:
    """A user and a personal token of theirs in one workspace."""

    user_id: UUID
    email: str
    token: str
    workspace: Workspace

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Sends requests to /api/v1/workspaces/<slug>/ with the personal token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        base = f"{self.workspace.base_url}/api/v1/workspaces/{self.workspace.slug}/"
        with httpx.Client(base_url=base, headers=headers, timeout=20, trust_env=False) as client:
            yield client


def add_person(api: ApiServer, workspace: Workspace, role: str, *, email: str | None = None) -> Person:
    """A new user with that role and a token that may all the role may."""
    user_id, token = new_id(), new_token()
    address = email or f"{user_id}@people.example"
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute(
            "insert into config.users (user_id, email, name, created_at, updated_at) values (%s, %s, %s, now(), now())",
            (user_id, address, role.title()),
        )
        connection.execute(
            "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
            "values (%s, %s, %s, 'local', now(), now())",
            (workspace.workspace_id, user_id, role),
        )
        connection.execute(
            "insert into config.tokens (token_id, workspace_id, name, sha256, role, kind, user_id, created_at) "
            "values (%s, %s, 'personal', %s, %s, 'personal', %s, now())",
            (new_id(), workspace.workspace_id, token_sha256(token), role, user_id),
        )
    return Person(user_id, address, token, workspace)


def remove_people(api: ApiServer) -> None:
    """No workspace has members any more."""
    with psycopg.connect(api.admin_url, autocommit=True) as connection, connection.transaction():
        connection.execute("alter table config.memberships disable trigger user")
        connection.execute("delete from config.memberships")
        connection.execute("alter table config.memberships enable trigger user")
