"""Whatever happens between ledger and receiver: PagerDuty ends up as the alerts are, and others hear everything."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from services.notifier.planning import Limits
from services.notifier.records import Row
from tests.fakes.pagerduty import Incidents
from tests.unit.services.notifier.interleaving import OPERATIONS, Operation, Season
from vigilo.events.deliveries import DeliveryStatus
from vigilo.events.rules import ChannelKind

_ACTIONS = {"opened": "trigger", "reminder": "trigger", "acknowledged": "acknowledge", "closed": "resolve"}
# The receiver has it and we do not know: Slack and mail cannot recognise what they get again.
_DOUBTFUL = {"dies-after", "slow-dies", "500-but-took-it", "lost-but-took-it"}
few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check_pagerduty(operations: list[Operation]) -> None:
    incidents = Incidents()

    def took(row: Row) -> None:
        event = {"routing_key": "k", "event_action": _ACTIONS[row.kind], "dedup_key": str(row.alert_id)}
        incidents.apply(event)

    season = Season(ChannelKind.PAGERDUTY, took)
    season.play(operations)
    wanted = {str(one.alert_id) for one in season.alerts if one.state == "open" and one.cause != "rulebook"}
    assert {one.dedup_key for one in incidents.open()} == wanted


def check_webhook(operations: list[Operation]) -> None:
    got: dict[UUID, list[int]] = {}

    def took(row: Row) -> None:
        assert row.alert_id is not None
        got.setdefault(row.alert_id, []).append(row.n)

    season = Season(ChannelKind.WEBHOOK, took, redelivers=False)
    season.play(operations)
    for alert in season.alerts:
        firsts = list(dict.fromkeys(got[alert.alert_id]))
        assert firsts == list(range(1, alert.n + 1)), "everything arrives, in order"
        assert got[alert.alert_id] == sorted(got[alert.alert_id]), "nothing is repeated after what follows it"


def check_slack(operations: list[Operation]) -> None:
    seen: Counter[tuple[UUID | None, str]] = Counter()
    limits = Limits(digest_from=2)
    season = Season(
        ChannelKind.SLACK, lambda row: seen.update([(row.alert_id, row.kind)]), redelivers=False, limits=limits
    )
    season.play(operations)
    if not any(value in _DOUBTFUL for _, value in operations):
        assert max(seen.values(), default=0) <= 1, "nobody is told twice, by a digest or otherwise"
    for alert in season.alerts:
        heard = {kind for alert_id, kind in seen if alert_id == alert.alert_id}
        # Who heard of the open hears of the close; who heard of nothing hears no close.
        assert "opened" in heard or alert.state == "closed"
        assert ("closed" in heard) <= ("opened" in heard) or _doubtful(season, alert.alert_id)
        assert alert.state == "open" or "opened" not in heard or "closed" in heard
    for row in season.rows():
        if row.status == DeliveryStatus.SUPERSEDED and row.alert_id is not None and not row.maybe_received:
            assert (row.alert_id, row.kind) not in seen


def _doubtful(season: Season, alert_id: UUID) -> bool:
    opens = [row for row in season.rows() if row.alert_id == alert_id and row.kind == "opened"]
    return any(row.maybe_received for row in opens)


@few
@given(OPERATIONS)
def test_no_incident_is_open_whose_alert_is_closed_nor_the_other_way_round(operations: list[Operation]) -> None:
    check_pagerduty(operations)


@few
@given(OPERATIONS)
def test_webhooks_get_every_transition_in_order(operations: list[Operation]) -> None:
    check_webhook(operations)


@few
@given(OPERATIONS)
def test_slack_hears_of_a_close_exactly_if_it_heard_of_the_open(operations: list[Operation]) -> None:
    check_slack(operations)


@pytest.mark.slow
@many
@given(OPERATIONS)
def test_a_thousand_seasons_of_pagerduty(operations: list[Operation]) -> None:
    check_pagerduty(operations)


@pytest.mark.slow
@many
@given(OPERATIONS)
def test_a_thousand_seasons_of_webhooks(operations: list[Operation]) -> None:
    check_webhook(operations)


@pytest.mark.slow
@many
@given(OPERATIONS)
def test_a_thousand_seasons_of_slack(operations: list[Operation]) -> None:
    check_slack(operations)
