"""When the API is ready: a host can be added, and it will be scanned.

The database answers and has every migration, every topic exists, the outbox is published, and the services a scan needs
are ready themselves. Checks that cost something remember a good answer for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Final

import httpx

from services.api.migrate import HISTORY_SCHEMA, known_migrations
from vigilo.adapters.health import Check, CheckResult
from vigilo.adapters.kafka.topics import missing_topics
from vigilo.adapters.postgres import Pool
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.registry import TOPIC_MODELS

_REMEMBERED_SECONDS: Final = 30.0


def database_check(pool: Pool) -> Check:
    """The database answers, and no migration of this code is missing."""
    known = known_migrations()

    async def check() -> CheckResult:
        async with pool.connection(timeout=1.5) as connection:
            found = await connection.execute(f"select migration_id from {HISTORY_SCHEMA}._yoyo_migration")
            applied = {row["migration_id"] for row in await found.fetchall()}
        missing = [name for name in known if name not in applied]
        if missing:
            return False, {"reason": f"not migrated: {', '.join(missing)} (python -m services.api.migrate)"}
        return True, {}

    return check


def topics_check(kafka: KafkaSettings) -> Check:
    """Every topic with an event model exists."""

    async def check() -> CheckResult:
        missing = await asyncio.to_thread(missing_topics, kafka, list(TOPIC_MODELS))
        if missing:
            return False, {"reason": f"missing topics: {', '.join(sorted(missing))} (vigilo topics apply)"}
        return True, {}

    return remembered(check)


def remembered(
    check: Callable[[], Awaitable[CheckResult]],
    *,
    seconds: float = _REMEMBERED_SECONDS,
    clock: Callable[[], float] = monotonic,
) -> Check:
    """The same check, but a good answer is given again for that long."""
    good: tuple[float, CheckResult] | None = None

    async def again() -> CheckResult:
        nonlocal good
        if good is not None and clock() - good[0] < seconds:
            return good[1]
        answer = await check()
        good = (clock(), answer) if answer[0] else None
        return answer

    return again


def services_check(urls: Sequence[str], client: httpx.AsyncClient) -> Check:
    """Every /readyz at `urls` answers 200."""

    async def check() -> CheckResult:
        reasons = dict(zip(urls, await asyncio.gather(*(_reason(client, url) for url in urls)), strict=True))
        waiting: Mapping[str, object] = {url: reason for url, reason in reasons.items() if reason}
        if waiting:
            return False, {"reason": f"{len(waiting)} of {len(urls)} services are not ready", "waiting_for": waiting}
        return True, {"services": len(urls)}

    return check


async def _reason(client: httpx.AsyncClient, url: str) -> str | None:
    try:
        answer = await client.get(url, timeout=1.5)
    except httpx.HTTPError as error:
        return f"no answer ({type(error).__name__})"
    return None if answer.status_code == 200 else f"{answer.status_code} {answer.text[:300]}".strip()
