"""What becomes of a host when somebody adds, edits, pauses, deletes or scans it. Pure: values in, records out."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.api.audit.change import Change
from services.api.commands.snoozes import window
from services.api.models.hosts import HostPatch, HostToAdd
from services.api.models.observed import AlertState
from services.api.models.snoozes import SnoozeToStart
from services.api.problems import Problem, invalid
from vigilo.adapters.egress import EgressDenied, ScanEgress
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.hostnames import is_ip_literal
from vigilo.events.hosts import Host, HostCommand, HostCommandKind, HostSnooze, HostStatus
from vigilo.events.ids import record_id
from vigilo.events.topics import PUBLIC_POOL
from vigilo.tls.addresses import Denied, classify, parse_address


def add(wanted: HostToAdd, *, workspace_id: UUID, host_id: UUID, at: datetime) -> Host:
    """The first version of a host."""
    return Host(
        host_id=host_id,
        workspace_id=workspace_id,
        version=1,
        status=HostStatus.ACTIVE,
        created_at=at,
        updated_at=at,
        **{name: getattr(wanted, name) for name in type(wanted).model_fields},
    )


def edit(host: Host, patch: HostPatch, *, at: datetime) -> Host:
    """The next version; the same host if nothing would change."""
    changes = {name: value for name, value in patch.changes().items() if getattr(host, name) != value}
    return _next(host, at, **changes) if changes else host


def pause(host: Host, *, at: datetime) -> Host:
    """The paused host; the same one if it is paused already."""
    return host if host.status is HostStatus.PAUSED else _next(host, at, status=HostStatus.PAUSED)


def resume(host: Host, *, at: datetime) -> Host:
    """The active host; the same one if it is active already."""
    return host if host.status is HostStatus.ACTIVE else _next(host, at, status=HostStatus.ACTIVE)


def snooze(host: Host, wanted: SnoozeToStart, *, by: str, at: datetime) -> Host:
    """The snoozed host; another snooze of it is replaced. Raises a 422 problem; see `snoozes.window`."""
    since, until = window(wanted, at=at)
    return _next(host, at, snooze=HostSnooze(since=since, until=until, reason=wanted.reason, by=by))


def unsnooze(host: Host, *, at: datetime) -> Host:
    """The host without a snooze; the same one if it had none."""
    return host if host.snooze is None else _next(host, at, snooze=None)


def wake(host: Host, *, at: datetime) -> Host:
    """The host without a snooze whose time is over; the same one if it has none or it still runs."""
    return host if host.snooze is None or at < host.snooze.until else _next(host, at, snooze=None)


def delete(host: Host, *, at: datetime) -> Host:
    """The last version."""
    return _next(host, at, status=HostStatus.DELETED)


def scan(host: Host, *, command_id: UUID, by: str, at: datetime) -> HostCommand:
    """The command to scan now. Raises a 409 problem for a paused host."""
    if host.status is HostStatus.PAUSED:
        raise Problem(409, "host-paused", "This host is paused; resume it before asking for a scan.")
    return HostCommand(
        command_id=command_id,
        host_id=host.host_id,
        workspace_id=host.workspace_id,
        host_version=host.version,
        kind=HostCommandKind.SCAN,
        by=by,
        at=at,
    )


def rejudge(host: Host, *, command_id: UUID, by: str, at: datetime) -> HostCommand:
    """The command to look at an active host lightly, because other anchors judge it now."""
    asked = scan(host, command_id=command_id, by=by, at=at)
    return asked.model_copy(update={"kind": HostCommandKind.REJUDGE})


def acknowledge(
    host: Host, alert_id: UUID, state: AlertState, note: str, *, command_id: UUID, by: str, at: datetime
) -> HostCommand:
    """The command to acknowledge an alert of the host. Raises a 409 problem unless it is open (or was acknowledged)."""
    if state not in {AlertState.OPEN, AlertState.ACKNOWLEDGED}:
        detail = f"This alert is {state.value}; only an open one can be acknowledged."
        raise Problem(409, f"alert-{state.value}", detail)
    return HostCommand(
        command_id=command_id,
        host_id=host.host_id,
        workspace_id=host.workspace_id,
        host_version=host.version,
        kind=HostCommandKind.ACKNOWLEDGE,
        alert_id=alert_id,
        note=note or None,
        by=by,
        at=at,
    )


def check(host: Host, *, pools: tuple[str, ...], public: ScanEgress) -> None:
    """Raises a 422 problem for a host that no scanner of this workspace would ever connect to."""
    if host.pool not in pools:
        raise invalid("pool", f"there is no pool {host.pool} for this workspace", f"one of {', '.join(pools)}")
    if host.address is not None and is_ip_literal(host.hostname):
        raise invalid("address", "the hostname is an address already", "an address only beside a name")
    if is_ip_literal(host.hostname):
        _check_address("hostname", host.hostname, host, public)
    elif host.address is not None:
        _check_address("address", host.address, host, public)


def _check_address(field: str, address: str, host: Host, public: ScanEgress) -> None:
    place = classify(parse_address(address))
    if isinstance(place, Denied):
        raise invalid(field, f"{address} is denied: {place.reason}", "an address that may be scanned")
    if host.pool != PUBLIC_POOL:
        return  # what a private pool reaches is known to its scanners alone
    try:
        public.check(address, host.port)
    except EgressDenied as error:
        raise invalid(field, error.reason, "a public address, or a private one the operator allows") from error


def retargeted(before: Host, after: Host) -> bool:
    """True when scans will go elsewhere than before."""
    return any(getattr(before, name) != getattr(after, name) for name in ("hostname", "port", "address", "pool"))


def record(host: Host) -> OutgoingEvent:
    """The event that tells this version."""
    identity = record_id(host.host_id, host.version)
    return OutgoingEvent("hosts", str(host.host_id), identity, host, host.updated_at)


def command(asked: HostCommand) -> OutgoingEvent:
    """The event that tells this command."""
    return OutgoingEvent("host-commands", str(asked.host_id), asked.command_id, asked, asked.at)


def told(verb: str, before: Host | None, after: Host) -> Change:
    """What the audit log says; a deleted host has only a `before`."""
    gone = after.status is HostStatus.DELETED
    return Change.between(f"host.{verb}", f"host:{after.host_id}", before, None if gone else after)


def told_scan(asked: HostCommand) -> Change:
    """What the audit log says of a scan somebody asked for."""
    return Change("host.scan", f"host:{asked.host_id}", None, {"command_id": str(asked.command_id)})


def told_acknowledgement(asked: HostCommand) -> Change:
    """What the audit log says of an acknowledged alert."""
    after = {"command_id": str(asked.command_id), "host_id": str(asked.host_id), "note": asked.note}
    return Change("alert.acknowledge", f"alert:{asked.alert_id}", None, after)


def _next(host: Host, at: datetime, **changes: object) -> Host:
    return host.model_copy(update={**changes, "version": host.version + 1, "updated_at": at})
