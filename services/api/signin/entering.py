"""From an address and a password to a session: counted first, worked out in the pool, told in the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from services.api import sessions
from services.api.signin import accounts, limits
from services.api.signin.accounts import LocalAccount
from services.api.signin.passwords import LONGEST, PasswordWorkers
from services.api.signin.settings import SignInSettings
from services.api.signin.telling import log_refusal, tell
from vigilo.adapters.postgres import Connection, Pool

Afterwards = Callable[[], Awaitable[None]]


class Refused(Exception):
    """No such account, not its password, or disabled: nobody is told which. `afterwards` notes it, once answered.

    Only known accounts have an audit log: what it costs to write there must not be seen in the time of the answer.
    """

    def __init__(self, afterwards: Afterwards) -> None:
        super().__init__("refused")
        self.afterwards = afterwards


@dataclass(frozen=True, slots=True)
class Entrance:
    """What sign-in needs of the running app."""

    settings: SignInSettings
    pool: Pool
    workers: PasswordWorkers

    async def by_password(self, email: str, password: str, *, origin: str | None, at: datetime) -> str:
        """The secret of a new session. Raises TooManyAttempts, Busy, Refused."""
        account_limit, address_limit = limits.account_limit(email), limits.address_limit(origin or "unknown")
        async with self.pool.connection() as connection:
            await limits.count_attempt(connection, (account_limit, address_limit), at=at)
            account = await accounts.local_account(connection, email)
        # No connection is held while a password is worked out: there are fewer of them than people.
        right = await self.workers.matches(account.password_hash if account else None, password[: LONGEST + 1])
        if account is None or not right or account.disabled:
            raise Refused(partial(self._note_refusal, account, origin, at))
        fresh = await self._fresh_hash(account, password)
        async with self.pool.connection() as connection, connection.transaction():
            if not await accounts.hold_password(connection, account, fresh_hash=fresh):
                raise Refused(partial(self._note_refusal, account, origin, at))  # it was changed meanwhile
            await limits.take_back(connection, account_limit, address_limit, at=at)
            return await self.open(connection, account.user_id, by="password", origin=origin, at=at)

    async def open(self, connection: Connection, user_id: UUID, *, by: str, origin: str | None, at: datetime) -> str:
        """A new session of this user in the transaction under way, told in the audit log; returns its secret."""
        await sessions.forget_old(connection, user_id, at=at)
        secret = await sessions.open_session(connection, user_id, at=at, lifetime=self.settings.session_lifetime)
        await tell(connection, user_id, "user.sign-in", origin=origin, at=at, after={"by": by})
        return secret

    async def _fresh_hash(self, account: LocalAccount, password: str) -> str | None:
        kept = account.password_hash
        return await self.workers.hashed(password) if kept and self.workers.is_outdated(kept) else None

    async def note_disabled(self, user_id: UUID, origin: str | None, at: datetime) -> None:
        """A disabled user came; his workspaces are told."""
        await self._tell_refusal(user_id, "disabled", origin, at)

    async def _note_refusal(self, account: LocalAccount | None, origin: str | None, at: datetime) -> None:
        if account is None:
            log_refusal("unknown account", origin=origin)
        else:
            await self._tell_refusal(account.user_id, "disabled" if account.disabled else "password", origin, at)

    async def _tell_refusal(self, user_id: UUID, reason: str, origin: str | None, at: datetime) -> None:
        async with self.pool.connection() as connection, connection.transaction():
            await tell(connection, user_id, "user.sign-in-refused", origin=origin, at=at, after={"reason": reason})
