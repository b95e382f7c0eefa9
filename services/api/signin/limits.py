"""How often somebody may try to sign in: sliding windows per account and per address.

An attempt is counted before the password is looked at, so that many at once cannot slip past; success takes the
account's count away. Addresses are judged by network for IPv6, where one machine has a whole /64.
Source: OWASP ASVS 5.0 6.3.1 (credential stuffing), RFC 6585 section 4 (429), RFC 4291 section 2.5.4 (/64).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from vigilo.adapters.postgres import Connection


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts of one bucket within `window`."""

    bucket: str
    most: int
    window: timedelta


class TooManyAttempts(Exception):
    """Refused without looking at the password; `retry_after` is whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


def account_limit(email: str) -> Limit:
    """Ten attempts on one account in fifteen minutes, whoever makes them, and whether or not the account exists."""
    return Limit(_bucket("account", email), 10, timedelta(minutes=15))


def address_limit(address: str) -> Limit:
    """Fifty attempts from one address in fifteen minutes: offices share one."""
    return Limit(_bucket("address", network_of(address)), 50, timedelta(minutes=15))


def network_of(address: str) -> str:
    """The address, or for IPv6 its /64; text that is no address stays as it is."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else str(ip_network(f"{parsed}/64", strict=False))


def wait_of(tried_at: Sequence[datetime], limit: Limit, *, at: datetime) -> int | None:
    """Seconds until one more attempt is allowed, None if one is allowed now. `tried_at` is ascending."""
    inside = [moment for moment in tried_at if moment > at - limit.window]
    if len(inside) < limit.most:
        return None
    free_at = inside[-limit.most] + limit.window
    return max(1, ceil((free_at - at).total_seconds()))


async def count_attempt(connection: Connection, limits: Sequence[Limit], *, at: datetime) -> None:
    """Counts an attempt in all buckets. Raises TooManyAttempts, and then counts in none."""
    async with connection.transaction():
        # In one order for all, for each bucket stays locked until the transaction ends.
        waits = [await _wait(connection, limit, at=at) for limit in sorted(limits, key=lambda one: one.bucket)]
        longest = max((wait for wait in waits if wait is not None), default=None)
        if longest is not None:
            raise TooManyAttempts(longest)
        for limit in limits:
            await connection.execute(
                "select config.note_sign_in_failure(%s, %s, %s)", (limit.bucket, at, at - limit.window)
            )


async def take_back(connection: Connection, account: Limit, address: Limit, *, at: datetime) -> None:
    """The attempt counted at that moment was right: the account starts afresh, the address has one count less."""
    await connection.execute("select config.forget_sign_in_failures(%s)", (account.bucket,))
    await connection.execute("select config.take_back_sign_in_failure(%s, %s)", (address.bucket, at))


async def _wait(connection: Connection, limit: Limit, *, at: datetime) -> int | None:
    found = await connection.execute(
        "select tried_at from config.sign_in_failure_times(%s, %s) as tried_at", (limit.bucket, at - limit.window)
    )
    return wait_of([row["tried_at"] for row in await found.fetchall()], limit, at=at)


def _bucket(kind: str, name: str) -> str:
    # A digest: the table holds no list of what people wrote, right or mistyped.
    return hashlib.sha256(f"{kind}:{name.strip().lower()}".encode()).hexdigest()
