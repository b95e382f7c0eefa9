"""An invitation by link: who is signed in joins, who is new makes an account and joins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.audit.change import Change
from services.api.audit.writing import record
from services.api.problems import Problem
from services.api.resources import resources
from services.api.sessions import secret_sha256
from services.api.signin import accounts
from services.api.signin.desk import desk
from services.api.signin.pages.entered import entered
from services.api.signin.pages.forms import Errors, password_errors, person_errors, plain_email
from services.api.signin.pages.working import worked_out
from services.api.web.floor import PageRoute, Visit, see_other, show, visit_of
from vigilo.adapters.postgres import Connection, tenant

router = APIRouter(route_class=PageRoute)

_GONE = "This invitation was used, taken back, or is too old. Ask for a new one."
_OTHER_ADDRESS = "This invitation is for another e-mail address than yours."
_TAKEN = "There is an account with this address: sign in first, then open the invitation again."


@dataclass(frozen=True, slots=True)
class Offer:
    """What an open invitation offers."""

    name: str
    role: str
    email: str | None


class OtherAddress(Exception):
    """The invitation names another address than the user's; it stays open."""


@router.get("/invitations/{secret}")
async def invitation_page(request: Request, secret: str) -> Response:
    """The offer; nothing is accepted by looking."""
    return _page(request, await _offer(request, secret), {})


@router.post("/invitations/{secret}")
async def accept(request: Request, secret: str) -> Response:
    """The person is a member; a new one also has an account and is signed in."""
    visit = visit_of(request)
    offer = await _offer(request, secret)
    at = datetime.now(UTC)
    try:
        if visit.session is None:
            return await _accept_as_new(request, visit, secret, offer, at)
        async with resources(request).pool.connection() as connection, connection.transaction():
            await _join(connection, secret, visit.session.user_id, visit.origin, at)
    except OtherAddress:
        return _page(request, offer, {"": _OTHER_ADDRESS}, status=403)
    return see_other("/account")


async def _accept_as_new(request: Request, visit: Visit, secret: str, offer: Offer, at: datetime) -> Response:
    email = offer.email or plain_email(visit.form.get("email", ""))
    errors = person_errors(visit.form, email=email) | password_errors(visit.form, email=email)
    if errors:
        return _page(request, offer, errors, status=422)
    entrance = desk(request).entrance
    kept = await worked_out(entrance.workers.hashed(visit.form["password"]))
    async with resources(request).pool.connection() as connection, connection.transaction():
        name = visit.form["name"].strip()
        user_id = await accounts.add_local_account(connection, email=email, name=name, password_hash=kept, at=at)
        if user_id is None:
            return _page(request, offer, {"email": _TAKEN}, status=422)
        await _join(connection, secret, user_id, visit.origin, at)
        session_secret = await entrance.open(connection, user_id, by="invitation", origin=visit.origin, at=at)
    return entered(request, session_secret, path="/account")


async def _join(connection: Connection, secret: str, user_id: UUID, origin: str | None, at: datetime) -> None:
    found = await connection.execute(
        "select * from config.accept_invitation(%s, %s, %s)", (secret_sha256(secret), user_id, at)
    )
    row = await found.fetchone()
    if row is None:
        raise Problem(410, "invitation-gone", _GONE)
    if row["outcome"] == "other-address":
        raise OtherAddress
    if row["outcome"] != "joined":
        return
    told = Change(
        "invitation.accept",
        f"invitation:{row['invitation_id']}",
        None,
        {"user_id": str(user_id), "role": row["role"]},
    )
    async with tenant(connection, row["workspace_id"]):
        await record(connection, row["workspace_id"], (told,), actor=f"user:{user_id}", origin=origin, at=at)


async def _offer(request: Request, secret: str) -> Offer:
    async with resources(request).pool.connection() as connection:
        found = await connection.execute("select * from config.open_invitation(%s)", (secret_sha256(secret),))
        row = await found.fetchone()
    if row is None:
        raise Problem(410, "invitation-gone", _GONE)
    return Offer(row["name"], row["role"], row["email"])


def _page(request: Request, offer: Offer, errors: Errors, *, status: int = 200) -> Response:
    written = visit_of(request).form
    return show(
        request,
        "invitation",
        status=status,
        offer=offer,
        errors=errors,
        here=request.url.path,
        name=written.get("name", ""),
        email=offer.email or written.get("email", ""),
    )
