"""An input that contradicts its key or its host's workspace belongs nowhere."""

from __future__ import annotations

from uuid import UUID

from tests.fakes.inputs import HOST, NOON, WORKSPACE, card, given, host
from vigilo.events.records import AlerterWakeup
from vigilo.ports.belonging import misplaced, workspace_of

OTHER = UUID("0190a000-0000-7000-8000-0000000000dd")
ONLY_HOSTS = ("hosts",)


def test_events_of_the_key_and_the_workspace_belong() -> None:
    wakeup = AlerterWakeup(host_id=HOST, due=NOON)
    for event in (host(), card(requested_at=NOON), wakeup):
        for workspace in (None, WORKSPACE):
            assert misplaced(given("hosts", event), workspace_id=workspace, removable_by=ONLY_HOSTS) is None


def test_what_contradicts_itself_is_named() -> None:
    assert misplaced(given("hosts", host(), key=OTHER), workspace_id=None, removable_by=ONLY_HOSTS) == "wrong-key"
    assert misplaced(given("hosts", host(), key="x"), workspace_id=None, removable_by=ONLY_HOSTS) == "bad-key"
    foreign = given("report-cards", card(requested_at=NOON))
    assert misplaced(foreign, workspace_id=OTHER, removable_by=ONLY_HOSTS) == "workspace-changed"


def test_a_tombstone_belongs_only_where_it_means_deletion() -> None:
    assert misplaced(given("hosts", None), workspace_id=WORKSPACE, removable_by=ONLY_HOSTS) is None
    assert misplaced(given("report-cards", None), workspace_id=WORKSPACE, removable_by=ONLY_HOSTS) == "tombstone"


def test_a_workspace_is_found_in_the_event_or_in_its_target() -> None:
    assert workspace_of(host()) == workspace_of(card(requested_at=NOON)) == WORKSPACE
    assert workspace_of(AlerterWakeup(host_id=HOST, due=NOON)) is None
