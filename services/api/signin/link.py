"""Prints a one-time sign-in link for the first workspace's owner: `python -m services.api.signin.link`.

VIGILO_DATABASE_URL may be vigilo_api's or an administrator's. The link is all that is printed; it works once, within
ten minutes.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

import psycopg

from services.api.bootstrap import SLUG
from services.api.database_roles import API
from services.api.signin.first_user import first_owner
from services.api.signin.links import new_link
from services.api.signin.settings import SignInSettings
from vigilo.adapters.postgres import DatabaseSettings, connect
from vigilo.adapters.settings import BadSettings, read


class LinkSettings(DatabaseSettings, SignInSettings):
    """What making a link needs."""


class NobodyToSignIn(Exception):
    """The first workspace has no owner with a local account."""


async def first_owners_link(database_url: str, *, public_url: str) -> str:
    """A fresh link. Raises NobodyToSignIn, psycopg.Error."""
    async with await connect(database_url, name="vigilo-sign-in-link", role=API) as connection:
        row = await (await connection.execute("select config.workspace_by_slug(%s) as id", (SLUG,))).fetchone()
        owner = await first_owner(connection, row["id"]) if row and row["id"] else None
        if owner is None:
            raise NobodyToSignIn(f"the workspace {SLUG} has no owner with a password of his own")
        return await new_link(connection, owner, public_url=public_url, at=datetime.now(UTC))


def main() -> int:
    """Entry point: 0 and one line, or 1 and the reason."""
    try:
        settings = read(LinkSettings)
        link = asyncio.run(first_owners_link(settings.url(), public_url=settings.public_url))
    except (BadSettings, NobodyToSignIn, psycopg.Error) as error:
        print(f"vigilo sign-in link: {error}", file=sys.stderr)
        return 1
    print(link)
    return 0


if __name__ == "__main__":
    sys.exit(main())
