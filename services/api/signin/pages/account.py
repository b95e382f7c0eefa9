"""What a signed-in person sees and changes of himself."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api import sessions
from services.api.problems import Problem
from services.api.resources import resources
from services.api.sessions import Session
from services.api.signin import accounts, limits
from services.api.signin.desk import desk
from services.api.signin.pages.entered import entered
from services.api.signin.pages.forms import Errors, password_errors
from services.api.signin.pages.working import worked_out
from services.api.signin.telling import tell
from services.api.web.floor import PageRoute, see_other, show, visit_of

router = APIRouter(route_class=PageRoute)

_NOTICES = {"password": "Your password is changed; your other sessions have ended.", "ended": "That session has ended."}


@router.get("/account")
async def account_page(request: Request) -> Response:
    """Workspaces, sessions, password."""
    session = visit_of(request).signed_in()
    return await _page(request, session, {}, notice=_NOTICES.get(request.query_params.get("done", ""), ""))


@router.post("/account/sessions/{session_id}/end")
async def end_session(request: Request, session_id: UUID) -> Response:
    """One of one's own sessions is over."""
    visit = visit_of(request)
    session = visit.signed_in()
    at = datetime.now(UTC)
    async with resources(request).pool.connection() as connection, connection.transaction():
        if not await sessions.end_session_of(connection, session.user_id, session_id, at=at):
            raise Problem(404, "not-found", "There is no such session of yours.")
        ended = {"session_id": str(session_id)}
        await tell(connection, session.user_id, "session.end", origin=visit.origin, at=at, after=ended)
    return see_other("/account?done=ended")


@router.post("/account/password")
async def change_password(request: Request) -> Response:
    """A new password for who knows the present one; every session ends, and this browser gets a new one."""
    visit = visit_of(request)
    session = visit.signed_in()
    if not session.has_password or session.email is None:
        raise Problem(403, "no-password", "You sign in without a password.")
    errors = password_errors(visit.form, email=session.email)
    if errors:
        return await _page(request, session, errors, status=422)
    if not await _knows_present(request, session, visit.form.get("present", "")):
        return await _page(request, session, {"present": "This is not your present password."}, status=422)
    entrance = desk(request).entrance
    kept = await worked_out(entrance.workers.hashed(visit.form["password"]))
    at = datetime.now(UTC)
    async with resources(request).pool.connection() as connection, connection.transaction():
        await accounts.set_password(connection, session.user_id, kept, at=at)
        await tell(connection, session.user_id, "user.set-password", origin=visit.origin, at=at)
        secret = await sessions.open_session(
            connection, session.user_id, at=at, lifetime=entrance.settings.session_lifetime
        )
    return entered(request, secret, path="/account?done=password")


async def _knows_present(request: Request, session: Session, password: str) -> bool:
    """Counted like a sign-in: a session left open is no place to guess a password."""
    assert session.email is not None
    at = datetime.now(UTC)
    account_limit = limits.account_limit(session.email)
    address_limit = limits.address_limit(visit_of(request).origin or "unknown")
    async with resources(request).pool.connection() as connection:
        try:
            await limits.count_attempt(connection, (account_limit, address_limit), at=at)
        except limits.TooManyAttempts as error:
            wait = {"Retry-After": str(error.retry_after)}
            raise Problem(429, "too-many-attempts", "Too many attempts. Try again later.", headers=wait) from error
        account = await accounts.local_account(connection, session.email)
    kept = account.password_hash if account else None
    right = await worked_out(desk(request).entrance.workers.matches(kept, password))
    if right:
        async with resources(request).pool.connection() as connection:
            await limits.take_back(connection, account_limit, address_limit, at=at)
    return right


async def _page(request: Request, session: Session, errors: Errors, *, notice: str = "", status: int = 200) -> Response:
    settings = resources(request).settings
    async with resources(request).pool.connection() as connection:
        places = await sessions.places_of(connection, session.user_id)
        opened = await sessions.sessions_of(connection, session.user_id, idle=settings.session_idle)
    return show(
        request,
        "account",
        status=status,
        errors=errors,
        notice=notice,
        places=places,
        opened=opened,
        oidc_name=settings.oidc_name if settings.oidc_issuer else "",
    )
