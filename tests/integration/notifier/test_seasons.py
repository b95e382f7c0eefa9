"""The seasons of the unit tests once more, fewer of them, with the decisions made and kept in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from services.notifier.ledger.channels import store_channel
from services.notifier.planning import Limits
from services.notifier.records import Row
from tests.fakes.pagerduty import Incidents
from tests.integration.notifier.ledger_lab import Lab, channel, ledger_lab
from tests.integration.notifier.sync_ledger import SyncLedger
from tests.unit.services.notifier.interleaving import OPERATIONS, Operation, Season
from vigilo.events.rules import ChannelKind

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

_ACTIONS = {"opened": "trigger", "reminder": "trigger", "acknowledged": "acknowledge", "closed": "resolve"}
some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def played(
    loop: asyncio.AbstractEventLoop,
    lab: Lab,
    kind: ChannelKind,
    took: Callable[[Row], None],
    operations: list[Operation],
    *,
    limits: Limits | None = None,
    redelivers: bool = True,
) -> Season:
    """One season on an empty ledger."""
    lab.forget()
    one = UUID(int=77)

    async def prepare() -> None:
        async with lab.pool.connection() as connection:
            await store_channel(connection, channel(one, kind=kind))

    loop.run_until_complete(prepare())
    ledger = SyncLedger(loop, lab.pool, one, limits or Limits())
    season = Season(kind, took, redelivers=redelivers, ledger=ledger)
    season.play(operations)
    return season


def in_a_lab(url: str, check: Callable[[asyncio.AbstractEventLoop, Lab], None]) -> None:
    """Opens the lab on a loop of its own: hypothesis calls synchronously."""
    with asyncio.Runner() as runner:
        lab_context = ledger_lab(url)
        lab = runner.run(lab_context.__aenter__())
        try:
            check(runner.get_loop(), lab)
        finally:
            runner.run(lab_context.__aexit__(None, None, None))


def test_pagerduty_ends_up_as_the_alerts_are(database: str) -> None:
    def check(loop: asyncio.AbstractEventLoop, lab: Lab) -> None:
        @some
        @given(OPERATIONS)
        def seasons(operations: list[Operation]) -> None:
            incidents = Incidents()

            def took(row: Row) -> None:
                key = str(row.alert_id)
                incidents.apply({"routing_key": "k", "event_action": _ACTIONS[row.kind], "dedup_key": key})

            season = played(loop, lab, ChannelKind.PAGERDUTY, took, operations)
            wanted = {str(one.alert_id) for one in season.alerts if one.state == "open" and one.cause != "rulebook"}
            assert {one.dedup_key for one in incidents.open()} == wanted

        seasons()

    in_a_lab(database, check)


def test_slack_hears_of_every_open_and_its_close(database: str) -> None:
    def check(loop: asyncio.AbstractEventLoop, lab: Lab) -> None:
        @some
        @given(OPERATIONS)
        def seasons(operations: list[Operation]) -> None:
            seen: Counter[tuple[UUID | None, str]] = Counter()
            limits = Limits(digest_from=2)
            season = played(
                loop,
                lab,
                ChannelKind.SLACK,
                lambda row: seen.update([(row.alert_id, row.kind)]),
                operations,
                limits=limits,
                redelivers=False,
            )
            for alert in season.alerts:
                heard = {kind for alert_id, kind in seen if alert_id == alert.alert_id}
                assert "opened" in heard or alert.state == "closed"
                assert alert.state == "open" or "opened" not in heard or "closed" in heard

        seasons()

    in_a_lab(database, check)
