"""How a host is snoozed: which ends are taken, what a snooze replaces, when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.api.commands import hosts as decide
from services.api.models.hosts import HostToAdd
from services.api.models.snoozes import SnoozeToStart
from services.api.problems import Problem
from vigilo.events.hosts import Host, HostStatus

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=30)
HOUR = timedelta(hours=1)


def host() -> Host:
    wanted = HostToAdd.model_validate({"hostname": "a.example"})
    return decide.add(wanted, workspace_id=UUID(int=1), host_id=UUID(int=2), at=AT)


def snoozed(**wanted: object) -> Host:
    return decide.snooze(host(), SnoozeToStart.model_validate(wanted), by="user:1", at=AT)


@pytest.mark.parametrize(
    ("wanted", "length"),
    [
        ("1h", HOUR),
        ("1d", timedelta(days=1)),
        ("1w", timedelta(weeks=1)),
        ("90m", timedelta(minutes=90)),
        ("PT90M", timedelta(minutes=90)),
        ("P1DT6H", timedelta(hours=30)),
        ("P2W", timedelta(weeks=2)),
    ],
)
def test_a_length_counts_from_now(wanted: str, length: timedelta) -> None:
    snooze = snoozed(**{"for": wanted, "reason": " CHG-1 "}).snooze
    assert snooze is not None
    assert (snooze.since, snooze.until, snooze.reason, snooze.by) == (AT, AT + length, "CHG-1", "user:1")


def test_an_end_may_be_given_in_any_time_zone() -> None:
    snooze = snoozed(until="2026-11-23T15:00:00+02:00").snooze
    assert snooze is not None and snooze.until == AT + HOUR


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"for": "1h", "until": "2026-11-24T00:00:00Z"},
        {"for": "1 hour"},
        {"for": "-1h"},
        {"for": 3600},
        {"for": "P"},
        {"for": "PT"},
        {"for": ""},
        {"until": "2026-11-24T00:00:00"},
        {"until": "tomorrow"},
        {"for": "1h", "reason": "a\nb"},
        {"for": "1h", "surprise": 1},
    ],
)
def test_what_names_no_one_end_is_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SnoozeToStart.model_validate(wanted)


@pytest.mark.parametrize(
    ("field", "value"),
    [("for", "0m"), ("for", "99999w"), ("for", "367d"), ("until", AT), ("until", AT + timedelta(days=367))],
)
def test_an_end_past_or_over_a_year_away_is_refused(field: str, value: object) -> None:
    with pytest.raises(Problem) as refused:
        snoozed(**{field: value})
    assert refused.value.status == 422
    assert refused.value.members["errors"][0]["field"] == field


def test_a_second_snooze_replaces_the_first_in_a_new_version() -> None:
    first = snoozed(**{"for": "1h"})
    second = decide.snooze(first, SnoozeToStart.model_validate({"for": "1d"}), by="user:2", at=LATER)
    assert second.version == 3
    assert second.snooze is not None and second.snooze.until == LATER + timedelta(days=1)


def test_a_snooze_outlives_other_changes() -> None:
    paused = decide.pause(snoozed(**{"for": "1h"}), at=LATER)
    assert paused.status is HostStatus.PAUSED and paused.snooze is not None


def test_a_snooze_can_be_ended_once() -> None:
    awake = decide.unsnooze(snoozed(**{"for": "1h"}), at=LATER)
    assert (awake.snooze, awake.version, awake.updated_at) == (None, 3, LATER)
    assert decide.unsnooze(awake, at=LATER) is awake


def test_the_timer_ends_a_snooze_at_its_end_and_not_before() -> None:
    present = snoozed(**{"for": "1h"})
    assert decide.wake(present, at=AT + HOUR - timedelta(microseconds=1)) is present
    woken = decide.wake(present, at=AT + HOUR)
    assert (woken.snooze, woken.version) == (None, 3)
    assert decide.wake(woken, at=AT + HOUR) is woken
