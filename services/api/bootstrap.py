"""The first workspace, its owner and the owner's token: `python -m services.api.bootstrap`. Safe to run again.

The token goes to `$VIGILO_HOME/owner-token` (0600) and is never printed; a lost or useless file gets a new token, and
the old one is revoked. Where there is no VIGILO_HOME, VIGILO_OWNER_TOKEN (or _FILE) names the token to register.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
from pydantic import Field, SecretStr

from services.api.audit.writing import SYSTEM, record
from services.api.auth import looks_like_token, new_token, owner_of, token_sha256
from services.api.commands import rules, workspaces
from services.api.database_roles import API
from services.api.signin.first_user import ensure_first_user
from services.api.stores import rows
from services.api.stores.rules import TABLE
from vigilo.adapters.locks import AdvisoryLock
from vigilo.adapters.postgres import Connection, DatabaseSettings, connect, tenant
from vigilo.adapters.settings import BadSettings, Settings, read
from vigilo.events.ids import new_id

SLUG: Final = "default"
TOKEN_FILE: Final = "owner-token"
_TOKEN_NAME: Final = "owner (made at the first start)"


class BootstrapSettings(Settings, DatabaseSettings):
    """What the bootstrap needs; the URL may be vigilo_api's or an administrator's."""

    owner_token: SecretStr | None = Field(None, description="Token to register instead of making one")


async def bootstrap(
    database_url: str, *, home: Path | None, owner_token: str | None = None
) -> tuple[UUID, Path | None]:
    """The default workspace exists and has an owner and an owner's token; returns its id and the token's file.

    Raises psycopg.Error, OSError, ValueError (a given token of the wrong form).
    """
    async with await connect(database_url, name="vigilo-bootstrap", role=API) as connection:
        # Until this session ends: two at once would revoke each other's token.
        await connection.execute("select pg_advisory_lock(%s)", (AdvisoryLock.BOOTSTRAP,))
        workspace_id = await ensure_workspace(connection, SLUG, "Default", at=datetime.now(UTC))
        await ensure_first_user(connection, workspace_id, at=datetime.now(UTC))
        if owner_token is not None:
            await _register(connection, workspace_id, owner_token)
        return workspace_id, None if home is None else await _token_file(connection, workspace_id, home)


async def ensure_workspace(connection: Connection, slug: str, name: str, *, at: datetime) -> UUID:
    """The id of the workspace with that short name, which is made, with the recommended rules, if it is not there."""
    workspace_id = new_id()
    async with tenant(connection, workspace_id):
        made = await connection.execute(
            "insert into config.workspaces (workspace_id, slug, name, version, created_at, updated_at) "
            "values (%s, %s, %s, 1, %s, %s) on conflict (slug) do nothing",
            (workspace_id, slug, name, at, at),
        )
        if made.rowcount == 1:
            settings = workspaces.add(name, workspace_id=workspace_id)
            await rows.publish(connection, workspace_id, [workspaces.record(settings, at=at)])
            await _recommend_rules(connection, workspace_id, at=at)
    found = await (await connection.execute("select config.workspace_by_slug(%s) as id", (slug,))).fetchone()
    if found is None or found["id"] is None:
        raise RuntimeError(f"the workspace {slug} was made and is not there")
    return UUID(str(found["id"]))


async def _recommend_rules(connection: Connection, workspace_id: UUID, *, at: datetime) -> None:
    recommended = rules.recommended(workspace_id=workspace_id, at=at)
    for rule in recommended:
        await rows.insert(connection, TABLE, rule)
    await rows.publish(connection, workspace_id, [rules.record(rule) for rule in recommended])
    changes = [rules.told("create", None, rule) for rule in recommended]
    await record(connection, workspace_id, changes, actor=SYSTEM, origin=None, at=at)


async def add_token(connection: Connection, workspace_id: UUID, token: str, *, name: str, role: str) -> None:
    """Registers the token, unless it is there already. Only its SHA-256 is stored.

    An owner's is the installation's own; machines get service tokens, which never own.
    """
    kind = "installation" if role == "owner" else "service"
    async with tenant(connection, workspace_id):
        await connection.execute(
            "insert into config.tokens (token_id, workspace_id, name, sha256, role, kind, created_at) "
            "values (%s, %s, %s, %s, %s, %s, %s) on conflict (sha256) do nothing",
            (new_id(), workspace_id, name, token_sha256(token), role, kind, datetime.now(UTC)),
        )


async def _register(connection: Connection, workspace_id: UUID, token: str) -> None:
    if not looks_like_token(token):
        raise ValueError("VIGILO_OWNER_TOKEN is not a token: vgl_ and 43 characters of A-Z, a-z, 0-9, _ and -")
    await add_token(connection, workspace_id, token, name=_TOKEN_NAME, role="owner")


async def _token_file(connection: Connection, workspace_id: UUID, home: Path) -> Path:
    path = home / TOKEN_FILE
    if await _good(connection, workspace_id, _read(path)):
        return path
    token = new_token()
    draft = _write_draft(path, token)
    async with tenant(connection, workspace_id):
        await connection.execute(
            "update config.tokens set revoked_at = now() where name = %s and revoked_at is null", (_TOKEN_NAME,)
        )
    await add_token(connection, workspace_id, token, name=_TOKEN_NAME, role="owner")
    draft.replace(path)
    return path


async def _good(connection: Connection, workspace_id: UUID, token: str) -> bool:
    caller = await owner_of(connection, token)
    return caller is not None and caller.workspace_id == workspace_id


def _read(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    path.chmod(0o600)
    return token


def _write_draft(path: Path, token: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(f"{token}\n", encoding="ascii")
    return draft


def main() -> int:
    """Entry point; prints where the token is, never the token."""
    try:
        settings = read(BootstrapSettings)
        home = settings.home if "home" in settings.model_fields_set else None
        given = settings.owner_token.get_secret_value() if settings.owner_token else None
        workspace_id, path = asyncio.run(bootstrap(settings.url(), home=home, owner_token=given))
    except (BadSettings, psycopg.Error, OSError, ValueError) as error:
        print(f"vigilo bootstrap: {error}", file=sys.stderr)
        return 1
    print(f"workspace {SLUG}: {workspace_id}")
    if path is not None:
        print(f"owner's token: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
