"""The stand-in for PagerDuty follows the documented rules; other tests lean on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.pagerduty import Incidents, Status, change_faults_of, faults_of

KEY = "k" * 32
GOOD: dict[str, Any] = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "a",
    "payload": {"summary": "s", "source": "h:443", "severity": "critical"},
}


def event(action: str, *, dedup_key: str | None = "a", routing_key: str = KEY) -> dict[str, Any]:
    """One event."""
    made = {"routing_key": routing_key, "event_action": action, "dedup_key": dedup_key}
    return {name: value for name, value in made.items() if value is not None}


def states(*events: dict[str, Any]) -> list[Status]:
    """The incidents after these events, oldest first."""
    incidents = Incidents()
    for one in events:
        incidents.apply(one)
    return [one.status for one in incidents.all]


def test_triggers_of_one_key_are_one_incident_until_it_is_resolved() -> None:
    assert states(event("trigger"), event("trigger")) == [Status.TRIGGERED]
    assert states(event("trigger"), event("resolve"), event("trigger")) == [Status.RESOLVED, Status.TRIGGERED]


def test_a_trigger_does_not_wake_an_acknowledged_incident() -> None:
    assert states(event("trigger"), event("acknowledge"), event("trigger")) == [Status.ACKNOWLEDGED]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_what_finds_no_open_incident_is_dropped(action: str) -> None:
    assert states(event(action)) == []
    assert states(event(action), event("trigger")) == [Status.TRIGGERED]
    assert states(event("trigger"), event("resolve"), event(action)) == [Status.RESOLVED]


def test_another_routing_key_is_another_world() -> None:
    other = "o" * 32
    assert states(event("trigger"), event("resolve", routing_key=other)) == [Status.TRIGGERED]
    assert states(event("trigger"), event("trigger", routing_key=other)) == [Status.TRIGGERED] * 2


def test_a_trigger_without_a_key_is_always_a_new_incident() -> None:
    assert states(*[event("trigger", dedup_key=None)] * 2) == [Status.TRIGGERED] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"routing_key": "short"},
        {"event_action": "open"},
        {"dedup_key": "x" * 256},
        {"payload": {**GOOD["payload"], "summary": "x" * 1025}},
        {"payload": {**GOOD["payload"], "severity": "fatal"}},
        {"payload": {"summary": "s", "severity": "info"}},
        {"payload": {**GOOD["payload"], "timestamp": "yesterday"}},
        {"payload": {**GOOD["payload"], "custom_details": {"x": "y" * 600_000}}},
        {"links": [{"href": "javascript:alert(1)"}]},
        {"nonsense": 1},
    ],
)
def test_what_the_documentation_forbids_is_seen(change: dict[str, Any]) -> None:
    assert faults_of(json.dumps(GOOD).encode()) == []
    assert faults_of(json.dumps({**GOOD, **change}).encode()) != []


def test_a_change_event_has_no_action() -> None:
    good = {"routing_key": KEY, "payload": {"summary": "s"}}
    assert change_faults_of(json.dumps(good).encode()) == []
    assert change_faults_of(json.dumps(GOOD).encode()) != []
