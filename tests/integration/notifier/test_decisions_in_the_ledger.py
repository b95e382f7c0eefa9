"""The real ledger decides: routes, superseding, digests, rates, circuits, commands. The clock is the test's."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.notifier.delivery import Answer, Attempt
from services.notifier.ledger.channels import circuits
from tests.fakes.alerts import WORKSPACE, transition
from tests.integration.notifier.ledger_lab import Lab, channel
from tests.integration.notifier.stage import DOWN, OK, START, Stage, alerts, delivery_of
from vigilo.events.alerts import TransitionKind
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind, DeliveryStatus
from vigilo.events.rules import ChannelKind, Route, Severity

pytestmark = pytest.mark.postgres

OPENED, CLOSED, REMINDER = TransitionKind.OPENED, TransitionKind.CLOSED, TransitionKind.REMINDER


async def channels(stage: Stage, *kinds: ChannelKind, routes: tuple[Route, ...] = ()) -> list[UUID]:
    """Channels in use, as their topic tells them."""
    found = []
    for number, kind in enumerate(kinds):
        one = stage.lab.add_channel("https://x.test/", kind=kind)
        await stage.enter(("channels", channel(one, kind=kind, routes=routes, name=f"{kind.value}-{number}")))
        found.append(one)
    return found


def command(channel_id: UUID, kind: DeliveryCommandKind, **fields: object) -> tuple[str, DeliveryCommand]:
    """A command of a person."""
    given = {"command_id": uuid4(), "at": START, "by": "ann", **fields}
    return (
        "delivery-commands",
        DeliveryCommand.model_validate({"workspace_id": WORKSPACE, "channel_id": channel_id, "kind": kind, **given}),
    )


async def test_routes_add_channels_and_the_close_goes_where_the_open_went(lab: Lab) -> None:
    stage = Stage(lab)
    (named,) = await channels(stage, ChannelKind.WEBHOOK)
    (fitting,) = await channels(stage, ChannelKind.WEBHOOK, routes=(Route(tags=("prod",)),))
    await channels(stage, ChannelKind.WEBHOOK, routes=(Route(severities=(Severity.CRITICAL,)),))
    await stage.enter(*alerts(OPENED, 1, named))
    await stage.work()
    assert set(stage.sent) == {(named, "opened"), (fitting, "opened")}
    (late,) = await channels(stage, ChannelKind.WEBHOOK, routes=(Route(),))
    await stage.enter(*alerts(REMINDER, 1, n=2), *alerts(CLOSED, 1, late, n=3))
    await stage.work()
    assert set(stage.sent[2:]) == {(one, word) for one in (named, fitting) for word in ("reminder", "closed")}


async def test_pagerduty_is_spared_what_is_over_and_webhooks_get_everything(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: DOWN)
    pagerduty, webhook = await channels(stage, ChannelKind.PAGERDUTY, ChannelKind.WEBHOOK)
    await stage.enter(*alerts(OPENED, 1, pagerduty, webhook))
    await stage.work()
    await stage.enter(*alerts(CLOSED, 1, n=2))
    stage.answers = lambda _: OK
    await stage.rest(timedelta(minutes=1))
    assert await stage.rows("kind, status, error_class", f"channel_id = '{pagerduty}'") == [
        ("opened", "superseded", "overtaken"),
        ("closed", "superseded", "open-never-received"),
    ]
    assert [word for one, word in stage.sent if one == webhook] == ["opened", "opened", "closed"]
    said = [(one["status"], one["error_class"]) for one in await stage.events() if one["channel_id"] == str(pagerduty)]
    assert said == [("retrying", "connect"), ("superseded", "overtaken"), ("superseded", "open-never-received")]


async def test_an_open_that_may_have_arrived_is_followed_by_its_close(lab: Lab) -> None:
    stage = Stage(lab)
    (pagerduty,) = await channels(stage, ChannelKind.PAGERDUTY)
    await stage.enter(*alerts(OPENED, 1, pagerduty))
    assert len(await stage.claim()) == 1  # and here the process dies
    await stage.enter(*alerts(CLOSED, 1, n=2))
    assert await stage.work() == 0, "the request of the dead process may be under way for a while"
    await stage.rest(timedelta(minutes=1))
    assert [word for _, word in stage.sent] == ["opened", "closed"]


async def test_many_of_one_rule_are_one_digest_whose_members_end_with_it(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: Attempt(Answer.REJECTED, 503))
    (slack,) = await channels(stage, ChannelKind.SLACK)
    await stage.enter(*alerts(OPENED, 30, slack))
    assert len(await stage.claim()) == 1  # dies before the request leaves
    stage.now += timedelta(seconds=28)
    await stage.work()
    # 503: the receiver may have it, so the digest stays one; a close of a member waits for it.
    await stage.enter(*alerts(CLOSED, 1, n=2))
    stage.answers = lambda _: OK
    await stage.rest(timedelta(minutes=1))
    assert [word for _, word in stage.sent] == ["30 opened", "30 opened", "closed"]
    members = await stage.rows("status, digest_id", "kind = 'opened'")
    assert {status for status, _ in members} == {"delivered"}
    assert {digest for _, digest in members} == {stage.claims[0].delivery_id}
    ended = [one for one in await stage.events() if one["status"] == "delivered" and one.get("digest_id")]
    assert len(ended) == 30


async def test_a_digest_nobody_got_is_taken_apart_so_that_what_is_over_is_skipped(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: DOWN)
    (slack,) = await channels(stage, ChannelKind.SLACK)
    await stage.enter(*alerts(OPENED, 8, slack))
    await stage.work()
    await stage.enter(*alerts(CLOSED, 2, n=2))
    stage.answers = lambda _: OK
    await stage.rest(timedelta(minutes=1))
    assert [word for _, word in stage.sent] == ["8 opened", "6 opened"]
    assert len(await stage.rows("1", "status = 'superseded' and kind <> 'digest'")) == 4


async def test_a_digest_that_is_given_up_takes_its_members_with_it(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: Attempt(Answer.REJECTED, 503, "http-503"))
    (slack,) = await channels(stage, ChannelKind.SLACK)
    await stage.enter(*alerts(OPENED, 6, slack))
    await stage.rest(timedelta(days=2))
    assert {status for (status,) in await stage.rows("status")} == {"failed"}
    await stage.enter(*alerts(CLOSED, 1, n=2))
    stage.answers = lambda _: OK
    await stage.work()
    assert stage.sent[-1] == (slack, "closed"), "the open may have been received"


async def test_a_new_rulebook_is_one_digest_and_pages_nobody(lab: Lab) -> None:
    stage = Stage(lab)
    slack, pagerduty = await channels(stage, ChannelKind.SLACK, ChannelKind.PAGERDUTY)
    for part in range(3):
        found = alerts(OPENED, 3, slack, pagerduty, cause="rulebook")
        await stage.enter(found[part])
        await stage.rest(timedelta(seconds=15))
    assert stage.sent == []
    await stage.rest(timedelta(minutes=2))
    assert stage.sent == [(slack, "3 opened")]
    await stage.enter(*alerts(CLOSED, 3, n=2))
    await stage.rest(timedelta(minutes=2))
    assert {one for one, _ in stage.sent} == {slack}


async def test_a_dead_receiver_gets_probes_and_then_everything_in_order(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: DOWN)
    (webhook,) = await channels(stage, ChannelKind.WEBHOOK)
    await stage.enter(*alerts(OPENED, 60, webhook))
    await stage.rest(timedelta(hours=2))
    burst = 10  # under way at once before the circuit opened
    assert burst <= len(stage.sent) <= burst + 20
    assert all(attempts <= 2 for (attempts,) in (await stage.rows("attempt"))[1:])
    said = [one for one in await stage.events() if one["error_class"] == "circuit-open"]
    assert len(said) >= 50
    stage.answers = lambda _: OK
    stage.sent.clear()
    stage.claims.clear()
    await stage.rest(timedelta(minutes=15))
    positions = [claimed.row.position for claimed in stage.claims]
    assert len(positions) == 60
    assert positions == sorted(positions)


async def test_a_rate_is_kept_by_all_notifiers_together(lab: Lab) -> None:
    stage = Stage(lab)
    (email,) = await channels(stage, ChannelKind.EMAIL)
    for number in range(40):
        one = transition(OPENED, channels=(email,), host_id=UUID(int=number)).model_copy(
            update={"rule": transition(OPENED).rule.model_copy(update={"rule_id": uuid4(), "channels": (email,)})}
        )
        await stage.enter(("alerts", one))
    await stage.work()
    assert len(stage.sent) == 10, "the burst"
    await stage.rest(timedelta(seconds=20, milliseconds=100))
    assert len(stage.sent) == 20, "30 a minute"


async def test_others_are_told_once_that_a_channel_keeps_failing_and_once_that_it_works(lab: Lab) -> None:
    stage = Stage(lab)
    dead, good, also = await channels(stage, ChannelKind.PAGERDUTY, ChannelKind.SLACK, ChannelKind.WEBHOOK)
    stage.answers = lambda claimed: DOWN if claimed.row.channel_id == dead else OK
    await stage.enter(*alerts(OPENED, 1, dead))
    await stage.rest(timedelta(minutes=14))
    assert not await stage.tell_overdue(dead)
    await stage.rest(timedelta(minutes=2))
    assert await stage.tell_overdue(dead)
    assert not await stage.tell_overdue(dead)
    await stage.rest(timedelta(minutes=1))
    text = "The pagerduty channel 'pagerduty-0' keeps failing"
    assert {one for one in stage.sent if one[0] != dead} == {(good, text), (also, text)}
    stage.answers = lambda _: OK
    await stage.rest(timedelta(minutes=30))
    words = [word for one, word in stage.sent if one == good]
    assert words == [text, "The pagerduty channel 'pagerduty-0' works again"]


async def test_where_nobody_could_be_told_somebody_is_told_as_soon_as_there_is_one(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: DOWN)
    (dead,) = await channels(stage, ChannelKind.WEBHOOK)
    await stage.enter(*alerts(OPENED, 1, dead))
    await stage.rest(timedelta(minutes=20))
    assert not await stage.tell_overdue(dead)
    await channels(stage, ChannelKind.SLACK)
    assert await stage.tell_overdue(dead)
    assert not await stage.tell_overdue(dead)


async def test_a_receiver_that_is_gone_is_told_of_and_its_deliveries_fail_with_the_reason(lab: Lab) -> None:
    stage = Stage(lab)
    gone, good = await channels(stage, ChannelKind.WEBHOOK, ChannelKind.SLACK)
    stage.answers = lambda claimed: Attempt(Answer.GONE, 410, "http-410") if claimed.row.channel_id == gone else OK
    await stage.enter(*alerts(OPENED, 1, gone))
    await stage.work()
    await stage.enter(*alerts(CLOSED, 1, n=2))
    await stage.work()
    assert await stage.rows("status, error_class", f"channel_id = '{gone}'") == [
        ("failed", "http-410"),
        ("failed", "channel-gone"),
    ]
    assert stage.sent == [(gone, "opened"), (good, "The webhook channel 'webhook-0' is gone")]


async def test_one_alert_refused_for_good_is_told_of_and_a_test_or_a_notice_is_not(lab: Lab) -> None:
    stage = Stage(lab)
    picky, good = await channels(stage, ChannelKind.PAGERDUTY, ChannelKind.WEBHOOK)
    no = Attempt(Answer.INVALID, 400, "http-400")
    stage.answers = lambda claimed: no if claimed.row.channel_id == picky else OK
    await stage.enter(command(picky, DeliveryCommandKind.TEST), command(picky, DeliveryCommandKind.NOTICE, title="t"))
    await stage.work()
    assert {one for one, _ in stage.sent} == {picky}
    for number in (1, 2):
        await stage.enter(*alerts(OPENED, number, picky))
        await stage.work()
    refused = "The pagerduty channel 'pagerduty-0' refused an alert"
    assert [word for one, word in stage.sent if one == good] == [refused]
    stage.now += timedelta(minutes=20)
    await stage.enter(*alerts(OPENED, 3, picky))
    stage.answers = lambda _: OK
    await stage.enter(*alerts(OPENED, 4, picky))
    await stage.work()
    assert [word for one, word in stage.sent if one == good] == [refused], "it works: nobody waits for that word"


async def test_a_channel_that_refuses_everything_for_long_is_told_of_though_nothing_waits(lab: Lab) -> None:
    stage = Stage(lab)
    picky, good = await channels(stage, ChannelKind.EMAIL, ChannelKind.WEBHOOK)
    no = Attempt(Answer.INVALID, error_class="smtp-550")
    stage.answers = lambda claimed: no if claimed.row.channel_id == picky else OK
    for number in (1, 2, 3):
        await stage.enter(*alerts(OPENED, number, picky))
        await stage.rest(timedelta(minutes=20))
    name = "The email channel 'email-0'"
    assert [word for one, word in stage.sent if one == good] == [f"{name} refused an alert", f"{name} keeps failing"]


async def test_a_wrong_password_for_mail_is_told_of_after_the_failing_time(lab: Lab) -> None:
    stage = Stage(lab)
    mail, good = await channels(stage, ChannelKind.EMAIL, ChannelKind.SLACK)
    wrong = Attempt(Answer.REFUSED, error_class="smtp-auth")
    stage.answers = lambda claimed: wrong if claimed.row.channel_id == mail else OK
    await stage.enter(*alerts(OPENED, 1, mail))
    await stage.rest(timedelta(minutes=14))
    assert good not in {one for one, _ in stage.sent}
    await stage.rest(timedelta(minutes=16))
    stage.answers = lambda _: OK
    await stage.rest(timedelta(minutes=11))
    name = "The email channel 'email-0'"
    assert [word for one, word in stage.sent if one == good] == [f"{name} keeps failing", f"{name} works again"]
    assert ("delivered",) in await stage.rows("status", f"channel_id = '{mail}'")


async def test_a_circuit_that_opened_over_what_was_given_up_closes_with_the_next_delivery(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: DOWN)
    (slack,) = await channels(stage, ChannelKind.SLACK)
    await stage.enter(*alerts(OPENED, 1, slack))
    await stage.rest(timedelta(days=2))
    assert await stage.rows("status, error_class") == [("failed", "circuit-open")]
    requests = len(stage.sent)
    await stage.rest(timedelta(days=1))
    assert len(stage.sent) == requests, "nothing waits, nobody asks"
    stage.answers = lambda _: OK
    await stage.enter(*alerts(TransitionKind.NOTICE, 1, slack, n=7))
    await stage.work()
    assert (stage.claims[-1].probe, stage.sent[-1]) == (True, (slack, "notice"))
    async with lab.pool.connection() as connection:
        assert await circuits(connection) == {"slack": (1, 0)}


async def test_commands_are_carried_out_once(lab: Lab) -> None:
    stage = Stage(lab, answers=lambda _: Attempt(Answer.INVALID, 400, "http-400"))
    (webhook,) = await channels(stage, ChannelKind.WEBHOOK)
    opened = alerts(OPENED, 3, webhook)
    await stage.enter(*opened)
    await stage.work()
    stage.answers = lambda _: OK
    span = command(webhook, DeliveryCommandKind.REDELIVER, since=START, until=START + timedelta(seconds=1))
    others = command(webhook, DeliveryCommandKind.REDELIVER, since=START + timedelta(seconds=1), until=START)
    test = command(webhook, DeliveryCommandKind.TEST)
    notice = command(webhook, DeliveryCommandKind.NOTICE, title="no network", text="pool x")
    for given in (span, others, test, notice, span, test, notice):
        await stage.enter(given)
        await stage.work()
    assert [word for _, word in stage.sent] == ["opened"] * 6 + ["test", "no network"]
    first, again = stage.claims[:3], stage.claims[3:6]
    assert [one.delivery_id for one in first] == [one.delivery_id for one in again]
    one = command(webhook, DeliveryCommandKind.REDELIVER, delivery_id=delivery_of(opened[0][1], webhook))
    await stage.enter(one, one)
    assert await stage.work() == 1
    assert {status for (status,) in await stage.rows("status")} == {DeliveryStatus.DELIVERED.value}
