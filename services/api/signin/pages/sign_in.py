"""Sign in with an address and a password; sign out."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from services.api import sessions
from services.api.resources import resources
from services.api.signin.desk import desk
from services.api.signin.entering import Refused
from services.api.signin.limits import TooManyAttempts
from services.api.signin.pages.entered import entered
from services.api.signin.pages.forms import Errors, local_path, plain_email
from services.api.signin.passwords import Busy
from services.api.signin.telling import tell
from services.api.web import cookies
from services.api.web.floor import PageRoute, ground, see_other, show, visit_of

router = APIRouter(route_class=PageRoute)

_WRONG = "Address and password do not belong together."
_BUSY_SECONDS = 2


@router.get("/sign-in")
async def sign_in_page(request: Request) -> Response:
    """The form; whoever is signed in already goes on."""
    next_path = local_path(request.query_params.get("next", "/"))
    if visit_of(request).session is not None:
        return see_other(next_path)
    notice = "You are signed out." if "out" in request.query_params else ""
    return _page(request, {}, next_path=next_path, notice=notice)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """A new session, or the form again."""
    visit = visit_of(request)
    email = plain_email(visit.form.get("email", ""))
    next_path = local_path(visit.form.get("next", "/"))
    at = datetime.now(UTC)
    try:
        secret = await desk(request).entrance.by_password(
            email, visit.form.get("password", ""), origin=visit.origin, at=at
        )
    except Refused as refused:
        page = _page(request, {"email": _WRONG}, email=email, next_path=next_path, status=401)
        page.background = BackgroundTask(refused.afterwards)
        return page
    except TooManyAttempts as error:
        minutes = -(-error.retry_after // 60)
        message = f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        page = _page(request, {"": message}, email=email, next_path=next_path, status=429)
        page.headers["Retry-After"] = str(error.retry_after)
        return page
    except Busy:
        message = "Many people are signing in right now. Try again in a moment."
        page = _page(request, {"": message}, email=email, next_path=next_path, status=503)
        page.headers["Retry-After"] = str(_BUSY_SECONDS)
        return page
    await _end_present(request, at)
    return entered(request, secret, path=next_path)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """The session is over, here and on the server."""
    visit = visit_of(request)
    at = datetime.now(UTC)
    if visit.session is not None:
        async with resources(request).pool.connection() as connection, connection.transaction():
            await sessions.end_session(connection, visit.secret, at=at)
            await tell(connection, visit.session.user_id, "user.sign-out", origin=visit.origin, at=at)
    response = see_other("/sign-in?out=1")
    ground(request).cookies.drop(response, cookies.SESSION)
    return response


async def _end_present(request: Request, at: datetime) -> None:
    # Signed in anew in the same browser: the session whose cookie is replaced would live on unseen.
    visit = visit_of(request)
    if visit.session is not None:
        async with resources(request).pool.connection() as connection:
            await sessions.end_session(connection, visit.secret, at=at)


def _page(
    request: Request, errors: Errors, *, next_path: str, email: str = "", notice: str = "", status: int = 200
) -> Response:
    settings = resources(request).settings
    return show(
        request,
        "sign-in",
        status=status,
        errors=errors,
        next=next_path,
        email=email,
        notice=notice,
        oidc_name=settings.oidc_name if settings.oidc_issuer else "",
    )
