"""What becomes of a host: versions, conflicts, refusals, and the events that tell them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.api.commands import hosts as decide
from services.api.models.hosts import HostPatch, HostToAdd
from services.api.problems import Problem
from vigilo.adapters.egress import ScanEgress, parse_listeners, parse_networks
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.ids import record_id

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)
NOWHERE_PRIVATE = ScanEgress()
LOOPBACK = ScanEgress(parse_networks(["127.0.0.0/8", "::1/128"]), parse_listeners(["127.0.0.1:8080"]))


def host(**fields: object) -> Host:
    wanted = HostToAdd.model_validate({"hostname": "a.example", **fields})
    return decide.add(wanted, workspace_id=UUID(int=1), host_id=UUID(int=2), at=AT)


def test_a_new_host_is_active_in_version_1() -> None:
    assert (host().version, host().status, host().created_at, host().updated_at) == (1, HostStatus.ACTIVE, AT, AT)


def test_every_field_of_the_request_arrives() -> None:
    for name in HostToAdd.model_fields:
        assert name in Host.model_fields


def test_an_edit_changes_what_was_sent_and_nothing_else() -> None:
    edited = decide.edit(host(tags=["a"], owner="x"), HostPatch(owner="y"), at=LATER)
    assert (edited.owner, edited.tags, edited.version, edited.updated_at, edited.created_at) == (
        "y",
        ("a",),
        2,
        LATER,
        AT,
    )


def test_null_removes_what_is_optional() -> None:
    assert decide.edit(host(owner="x"), HostPatch(owner=None), at=LATER).owner is None


@pytest.mark.parametrize("patch", [{}, {"owner": "x"}, {"hostname": "A.example."}, {"port": 443, "tags": []}])
def test_an_edit_that_changes_nothing_makes_no_version(patch: dict[str, object]) -> None:
    present = host(owner="x")
    assert decide.edit(present, HostPatch.model_validate(patch), at=LATER) is present


def test_pause_and_resume_make_a_version_only_when_they_change_something() -> None:
    paused = decide.pause(host(), at=LATER)
    assert (paused.status, paused.version) == (HostStatus.PAUSED, 2)
    assert decide.pause(paused, at=LATER) is paused
    resumed = decide.resume(paused, at=LATER)
    assert (resumed.status, resumed.version) == (HostStatus.ACTIVE, 3)
    assert decide.resume(resumed, at=LATER) is resumed


def test_deletion_is_the_last_version() -> None:
    gone = decide.delete(host(), at=LATER)
    assert (gone.status, gone.version) == (HostStatus.DELETED, 2)


def test_a_record_is_identified_by_host_and_version_alone() -> None:
    event = decide.record(host())
    assert (event.topic, event.key, event.id) == ("hosts", str(UUID(int=2)), record_id(UUID(int=2), 1))
    assert decide.record(decide.pause(host(), at=LATER)).id == record_id(UUID(int=2), 2)


def test_a_scan_of_a_paused_host_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        decide.scan(decide.pause(host(), at=LATER), command_id=UUID(int=3), by="me", at=LATER)
    assert (refused.value.status, refused.value.name) == (409, "host-paused")


def test_a_scan_names_the_version_it_was_asked_on() -> None:
    asked = decide.scan(decide.edit(host(), HostPatch(owner="x"), at=LATER), command_id=UUID(int=3), by="me", at=LATER)
    event = decide.command(asked)
    assert asked.host_version == 2
    assert (event.topic, event.key, event.id) == ("host-commands", str(UUID(int=2)), UUID(int=3))


@pytest.mark.parametrize("name", ["hostname", "port", "address", "pool"])
def test_only_where_scans_go_is_checked_again(name: str) -> None:
    values = {"hostname": "b.example", "port": 1, "address": "9.9.9.9", "pool": "inside"}
    assert decide.retargeted(host(), decide.edit(host(), HostPatch.model_validate({name: values[name]}), at=LATER))
    assert not decide.retargeted(host(), decide.edit(host(), HostPatch(owner="x"), at=LATER))


def refusal(present: Host, egress: ScanEgress, *pools: str) -> str:
    with pytest.raises(Problem) as refused:
        decide.check(present, pools=pools or ("public",), public=egress)
    assert refused.value.status == 422
    (error,) = refused.value.members["errors"]
    return f"{error['field']}: {error['problem']}"


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_denied_addresses_are_refused_in_every_pool(address: str) -> None:
    everything = ScanEgress(parse_networks(["0.0.0.0/0", "::/0"]))
    assert refusal(host(hostname=address), everything).startswith("hostname: ")
    assert refusal(host(hostname=address, pool="inside"), everything, "inside").startswith("hostname: ")
    assert refusal(host(address=address), everything).startswith("address: ")


def test_private_addresses_need_the_operators_leave_in_the_public_pool() -> None:
    assert "private" in refusal(host(hostname="127.0.0.1"), NOWHERE_PRIVATE)
    decide.check(host(hostname="127.0.0.1"), pools=("public",), public=LOOPBACK)
    decide.check(host(hostname="::1"), pools=("public",), public=LOOPBACK)
    # What a private pool may reach is known to its own scanners.
    decide.check(host(hostname="10.0.0.1", pool="inside"), pools=("public", "inside"), public=NOWHERE_PRIVATE)


def test_our_own_listeners_are_never_a_target() -> None:
    assert "own listeners" in refusal(host(hostname="127.0.0.1", port=8080), LOOPBACK)


def test_a_pool_of_somebody_else_is_refused() -> None:
    assert "no pool inside" in refusal(host(pool="inside"), LOOPBACK, "public", "outside")


def test_an_address_beside_an_address_is_refused() -> None:
    assert refusal(host(hostname="9.9.9.9", address="9.9.9.9"), LOOPBACK).startswith("address: ")


def test_names_are_not_judged_by_what_they_might_resolve_to() -> None:
    decide.check(host(hostname="localhost"), pools=("public",), public=NOWHERE_PRIVATE)
