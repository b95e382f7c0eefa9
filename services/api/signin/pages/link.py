"""Behind a one-time link: looking at it changes nothing (mail scanners look), sending the form uses it up."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from psycopg.errors import UniqueViolation
from starlette.responses import Response

from services.api.problems import Problem
from services.api.resources import resources
from services.api.signin import accounts, links
from services.api.signin.desk import desk
from services.api.signin.links import LinkHolder
from services.api.signin.pages.entered import entered
from services.api.signin.pages.forms import Errors, password_errors, person_errors, plain_email
from services.api.signin.pages.working import worked_out
from services.api.signin.telling import tell
from services.api.web.floor import PageRoute, Visit, show, visit_of

router = APIRouter(route_class=PageRoute)

_GONE = "This link was used already, or it is older than ten minutes. `vigilo user reset` makes a new one."
_TAKEN = "There is an account with this address already."


@router.get(links.PATH + "{secret}")
async def link_page(request: Request, secret: str) -> Response:
    """The form; the link still works afterwards."""
    holder = await _holder(request, secret)
    return _page(request, holder, {})


@router.post(links.PATH + "{secret}")
async def follow_link(request: Request, secret: str) -> Response:
    """Uses the link up: name, password if one was written, and a new session."""
    visit = visit_of(request)
    holder = await _holder(request, secret)
    email = (holder.email or "") if holder.has_password else plain_email(visit.form.get("email", ""))
    errors = person_errors(visit.form, email=email)
    wants_password = not holder.has_password or bool(visit.form.get("password") or visit.form.get("repeated"))
    if wants_password:
        errors |= password_errors(visit.form, email=email)
    if errors:
        return _page(request, holder, errors, status=422)
    kept = await worked_out(desk(request).entrance.workers.hashed(visit.form["password"])) if wants_password else None
    try:
        session_secret = await _use(request, visit, secret, email, kept)
    except UniqueViolation:
        return _page(request, holder, {"email": _TAKEN}, status=422)
    return entered(request, session_secret, path="/account")


async def _use(request: Request, visit: Visit, secret: str, email: str, password_hash: str | None) -> str:
    at = datetime.now(UTC)
    async with resources(request).pool.connection() as connection, connection.transaction():
        user_id = await links.use_link(connection, secret, at=at)
        if user_id is None:
            raise Problem(410, "link-used", _GONE)
        await accounts.describe(connection, user_id, email=email, name=visit.form["name"].strip(), at=at)
        if password_hash is not None:
            await accounts.set_password(connection, user_id, password_hash, at=at)
            await tell(connection, user_id, "user.set-password", origin=visit.origin, at=at)
        return await desk(request).entrance.open(connection, user_id, by="link", origin=visit.origin, at=at)


async def _holder(request: Request, secret: str) -> LinkHolder:
    async with resources(request).pool.connection() as connection:
        holder = await links.holder_of(connection, secret)
    if holder is None:
        raise Problem(410, "link-used", _GONE)
    return holder


def _page(request: Request, holder: LinkHolder, errors: Errors, *, status: int = 200) -> Response:
    written = visit_of(request).form
    return show(
        request,
        "link",
        status=status,
        holder=holder,
        errors=errors,
        name=written.get("name", holder.name if holder.has_password else ""),
        email=written.get("email", holder.email or ""),
    )
