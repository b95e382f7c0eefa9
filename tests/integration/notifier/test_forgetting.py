"""What the ledger forgets and what never, by the notifier's own role in a real database. The clock is the test's."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from services.notifier.delivery import Answer, Attempt
from services.notifier.forgetting import Forgetter
from tests.fakes.alerts import WORKSPACE
from tests.integration.notifier.ledger_lab import Lab, channel
from tests.integration.notifier.stage import DOWN, OK, START, Stage, alerts, delivery_of
from vigilo.events.alerts import TransitionKind
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind
from vigilo.events.rules import ChannelKind

pytestmark = pytest.mark.postgres

OPENED, CLOSED, NOTICE = TransitionKind.OPENED, TransitionKind.CLOSED, TransitionKind.NOTICE
HISTORY = timedelta(days=30)


@pytest.fixture
def stage(lab: Lab) -> Stage:
    return Stage(lab)


async def channel_of(stage: Stage, kind: ChannelKind = ChannelKind.WEBHOOK) -> UUID:
    one = stage.lab.add_channel("https://x.test/", kind=kind)
    await stage.enter(("channels", channel(one, kind=kind)))
    return one


def command(channel_id: UUID, **fields: object) -> tuple[str, DeliveryCommand]:
    given = {"workspace_id": WORKSPACE, "channel_id": channel_id, "by": "ann", "at": START, "command_id": UUID(int=5)}
    return "delivery-commands", DeliveryCommand.model_validate({**given, **fields})


async def forgotten(stage: Stage, after: timedelta, *, history: timedelta = HISTORY, batch: int = 100) -> int:
    now = stage.now + after
    return await Forgetter(stage.lab.pool, clock=lambda: now, history=history, batch=batch).round()


async def left(stage: Stage) -> list[str]:
    return [kind for (kind,) in await stage.rows("kind")]


async def test_an_alert_goes_with_its_close_and_not_before(stage: Stage) -> None:
    one = await channel_of(stage)
    await stage.enter(*alerts(OPENED, 1, one))
    await stage.work()
    assert await forgotten(stage, timedelta(days=4000)) == 0
    await stage.enter(*alerts(TransitionKind.ACKNOWLEDGED, 1, n=2))
    await stage.work()
    assert await forgotten(stage, timedelta(days=4000)) == 0
    stage.now += timedelta(days=100)
    await stage.enter(*alerts(CLOSED, 1, n=3))
    await stage.work()
    assert [word for _, word in stage.sent] == ["opened", "acknowledged", "closed"], "the close found who was told"
    assert await forgotten(stage, HISTORY - timedelta(seconds=1)) == 0
    assert await forgotten(stage, HISTORY + timedelta(seconds=1)) == 3
    assert await left(stage) == []


async def test_what_waits_or_follows_something_that_waits_stays(stage: Stage) -> None:
    stage.answers = lambda _: DOWN
    one = await channel_of(stage)
    await stage.enter(*alerts(OPENED, 1, one), *alerts(CLOSED, 1, n=2))
    await stage.work()
    late = await channel_of(stage)
    await stage.enter(*alerts(NOTICE, 1, late, UUID(int=404)))
    assert await forgotten(stage, timedelta(days=4000)) == 0
    assert sorted(await left(stage)) == ["closed", "notice", "notice", "opened"]


async def test_an_open_that_was_sent_again_lately_keeps_its_close(stage: Stage) -> None:
    one = await channel_of(stage)
    opened = alerts(OPENED, 1, one)
    await stage.enter(*opened, *alerts(CLOSED, 1, n=2))
    await stage.work()
    stage.now += HISTORY * 2
    again = {"kind": DeliveryCommandKind.REDELIVER, "delivery_id": delivery_of(opened[0][1], one)}
    await stage.enter(command(one, **again))
    assert await forgotten(stage, timedelta()) == 0, "the open waits"
    await stage.work()
    assert [word for _, word in stage.sent] == ["opened", "closed", "opened"]
    assert await forgotten(stage, timedelta(days=1)) == 0
    assert await forgotten(stage, HISTORY * 2) == 2


async def test_each_channel_is_judged_for_itself(stage: Stage) -> None:
    good, dead = await channel_of(stage), await channel_of(stage)
    stage.answers = lambda claimed: DOWN if claimed.row.channel_id == dead else OK
    await stage.enter(*alerts(OPENED, 1, good, dead), *alerts(CLOSED, 1, n=2))
    await stage.work()
    assert await forgotten(stage, HISTORY * 2) == 2
    assert {one for (one,) in await stage.rows("channel_id")} == {dead}


async def test_a_digest_and_its_members_go_message_by_message(stage: Stage) -> None:
    slack = await channel_of(stage, ChannelKind.SLACK)
    await stage.enter(*alerts(OPENED, 6, slack))
    await stage.work()
    await stage.enter(*alerts(CLOSED, 5, n=2))
    await stage.work()
    assert [word for _, word in stage.sent] == ["6 opened", "5 closed"]
    assert await forgotten(stage, HISTORY * 2, batch=2) == 2 + 2 * 5
    assert await left(stage) == ["opened"], "one is open"


async def test_a_digest_on_its_way_stays(stage: Stage) -> None:
    slack = await channel_of(stage, ChannelKind.SLACK)
    stage.answers = lambda _: Attempt(Answer.REJECTED, 503)
    await stage.enter(*alerts(NOTICE, 6, slack), *alerts(OPENED, 6, slack))
    await stage.work()
    before = sorted(await left(stage))
    assert await forgotten(stage, timedelta(days=4000)) == 0
    assert sorted(await left(stage)) == before


async def test_tests_and_notices_go_and_short_histories_keep_nine_days(stage: Stage) -> None:
    one = await channel_of(stage)
    test = command(one, kind=DeliveryCommandKind.TEST)
    await stage.enter(test, *alerts(NOTICE, 1, one))
    await stage.work()
    assert len(stage.sent) == 2
    day = timedelta(days=1)
    assert await forgotten(stage, 8 * day, history=day) == 0
    await stage.enter(test)
    assert await stage.work() == 0, "the command is remembered as long as its delivery"
    assert await forgotten(stage, 10 * day, history=day) == 2


async def test_a_channel_at_work_is_left_for_the_next_round(stage: Stage) -> None:
    one = await channel_of(stage)
    await stage.enter(*alerts(NOTICE, 1, one))
    await stage.work()
    async with stage.lab.pool.connection() as busy, busy.transaction():
        await busy.execute("select from notifier.channels for update")
        assert await forgotten(stage, HISTORY * 2) == 0
    assert await forgotten(stage, HISTORY * 2) == 1
