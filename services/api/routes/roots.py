"""/roots: certificates the workspace trusts beside the public roots."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Response

from services.api.auth import Caller
from services.api.commands import hosts as host_commands
from services.api.commands import roots as decide
from services.api.idempotency import Answer
from services.api.models.roots import RootAdded, RootsView, RootToAdd, RootView
from services.api.openapi import BASE, problems
from services.api.permissions import Permission
from services.api.problems import invalid
from services.api.reading import Viewing
from services.api.routes.certificates import Sha256
from services.api.stores import roots as store
from services.api.stores import rows
from services.api.writing import Writer, Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.hosts import Host
from vigilo.events.ids import new_id
from vigilo.tls.certificate import read_certificate

router = APIRouter(prefix=f"{BASE}/roots", tags=["roots"])


@router.get("", responses=problems())
async def list_roots(reading: Viewing) -> RootsView:
    """Roots, intermediates and pinned leaves of the workspace's own; at most 100."""
    settings = await store.load(reading.connection)
    return RootsView(items=[RootView(**_fields(reading.caller, pem)) for pem in settings.private_roots])


@router.post("", status_code=201, response_model=RootAdded, responses={**problems(409, 422), 200: {"model": RootAdded}})
async def add_root(body: RootToAdd, writing: Writing) -> Response:
    """Trust a certificate: an issuer, or one leaf. Hosts whose chain was not valid are judged again at once.

    A certificate that is trusted already is shown with status 200.
    """

    async def effect(connection: Connection) -> Answer:
        certificate = await _wanted(connection, body)
        before = await store.lock(connection)
        after = decide.add(before, certificate)
        pem = decide.pem_of(certificate)
        if after is before:
            return answered(RootAdded(**_fields(writing.caller, pem), rescans=0))
        await store.apply(connection, after, at=writing.at)
        asked = await _judge_again(connection, writing, await store.hosts_to_gain(connection))
        view = RootAdded(**_fields(writing.caller, pem), rescans=asked)
        return answered(view, status=201, headers={"Location": view.href}, changes=(decide.told("add", pem),))

    return await writing.once(Permission.ROOTS_MANAGE, effect)


@router.delete("/{sha256}", status_code=204, responses=problems(404))
async def delete_root(sha256: Sha256, writing: Writing) -> Response:
    """Trust it no longer. Hosts that private certificates vouched for are judged again at once."""

    async def effect(connection: Connection) -> Answer:
        after, gone = decide.remove(await store.lock(connection), sha256.lower())
        await store.apply(connection, after, at=writing.at)
        await _judge_again(connection, writing, await store.hosts_to_lose(connection))
        return Answer(204, changes=(decide.told("delete", gone),))

    return await writing.once(Permission.ROOTS_MANAGE, effect)


async def _wanted(connection: Connection, body: RootToAdd) -> x509.Certificate:
    if body.pem is not None:
        return decide.parse(body.pem)
    assert body.from_host is not None
    assert body.certificate is not None
    return decide.from_chain(await _shown(connection, body.from_host, body.certificate))


async def _shown(connection: Connection, host_id: UUID, sha256: str) -> bytes:
    chain = await store.shown_by(connection, host_id)
    if chain is None:
        raise invalid("from_host", f"there is no host {host_id}", "the id of a host of this workspace")
    der = chain.get(sha256)
    if der is None:
        known = [one for one, bytes_ in chain.items() if bytes_ is not None]
        allowed = f"one of {', '.join(known)}" if known else "nothing yet: no chain of it is known"
        raise invalid("certificate", "the host does not show it", allowed)
    return der


async def _judge_again(connection: Connection, writing: Writer, concerned: list[Host]) -> int:
    # After the settings in the outbox: the relay keeps that order, and a scan takes longer than the settings' way.
    asked = [
        host_commands.rejudge(host, command_id=new_id(), by=writing.caller.name, at=writing.at) for host in concerned
    ]
    await rows.publish(connection, writing.caller.workspace_id, map(host_commands.command, asked))
    return len(asked)


def _fields(caller: Caller, pem: str) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    facts = read_certificate(certificate.public_bytes(Encoding.DER))
    return {
        "sha256": facts.fingerprint_sha256,
        "kind": decide.kind_of(certificate),
        "subject": facts.subject,
        "issuer": facts.issuer,
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "pem": pem,
        "href": f"/api/v1/workspaces/{caller.slug}/roots/{facts.fingerprint_sha256}",
    }
