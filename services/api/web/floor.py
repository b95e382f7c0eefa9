"""The safety floor: every page is a `PageRoute`, and a `PageRoute` lets nothing through that does not stand on it.

For each request: who is signed in, by the cookie alone (a bearer token opens nothing here); for each unsafe method: the
same origin, and the form's token; on each answer: the security headers. Refusals are pages, too.
Source: OWASP ASVS 5.0 chapters 3.3 to 3.5 and 7.2.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import quote

import psycopg
from fastapi.routing import APIRoute
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.api.problems import Problem
from services.api.resources import resources
from services.api.sessions import Session, live_session
from services.api.web import cookies, csrf
from services.api.web.address import client_of
from services.api.web.cookies import Cookies
from services.api.web.headers import security_headers
from services.api.web.origin import SAFE_METHODS, same_origin
from services.api.web.pages import Pages

logger = logging.getLogger("vigilo.api.web")

_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 50
_LONGEST_FIELD: Final = 4_000
_FORM_COOKIE_LIFETIME: Final = timedelta(hours=12)
_SIGN_IN_PATH: Final = "/sign-in"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SignInNeeded(Exception):
    """Only for people who are signed in: off to the sign-in page, and back afterwards."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a page, past the floor. `form` is empty for safe methods; every value is one text."""

    session: Session | None
    secret: str
    form: Mapping[str, str]
    origin: str | None
    new_form_cookie: bool

    @property
    def csrf_token(self) -> str:
        """What the forms of the answer must carry."""
        return csrf.form_token(self.secret)

    def signed_in(self) -> Session:
        """The session. Raises SignInNeeded."""
        if self.session is None:
            raise SignInNeeded
        return self.session


@dataclass(frozen=True, slots=True)
class Ground:
    """What the floor needs of the running app."""

    pages: Pages
    cookies: Cookies
    idle: timedelta


def ground(request: Request) -> Ground:
    """The ground of the app that serves this request."""
    return cast(Ground, request.app.state.ground)


def visit_of(request: Request) -> Visit:
    """What the floor found out. Raises AttributeError on a route that does not stand on it."""
    return cast(Visit, request.state.visit)


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """The page, with what every page gets: who is signed in and the token of its forms."""
    visit = getattr(request.state, "visit", None)
    about = {"session": visit and visit.session, "csrf_token": visit.csrf_token if visit else ""}
    return ground(request).pages.show(template, {**about, **values}, status=status)


def see_other(path: str) -> Response:
    """Go there with GET."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


class PageRoute(APIRoute):
    """A page. Its handler finds a `Visit` by `visit_of` and need not check where the request came from."""

    def get_route_handler(self) -> Handler:
        """The handler, on the floor."""
        inner = super().get_route_handler()

        async def on_the_floor(request: Request) -> Response:
            try:
                request.state.visit = await _checked(request)
                response = await inner(request)
            except Exception as error:  # every end is a page with all headers
                response = _refusal(request, error)
            return _finished(request, response)

        return on_the_floor


async def _checked(request: Request) -> Visit:
    safe = request.method in SAFE_METHODS
    if not safe:
        _demand_same_origin(request)
    visit = await _visit(request, {} if safe else await _form(request))
    if not safe and not csrf.is_form_token(visit.form.get(csrf.FIELD, ""), cookie_secret=visit.secret):
        raise Problem(
            403, "stale-form", "This form is no longer valid. Go back, load the page again and send it again."
        )
    return visit


async def _visit(request: Request, form: Mapping[str, str]) -> Visit:
    stands = ground(request)
    origin = client_of(request)
    session_secret = stands.cookies.read(request, cookies.SESSION)
    if session_secret is not None:
        async with resources(request).pool.connection() as connection:
            session = await live_session(connection, session_secret, idle=stands.idle)
        if session is not None:
            return Visit(session, session_secret, form, origin, new_form_cookie=False)
    kept = stands.cookies.read(request, cookies.FORM)
    if kept is not None and cookies.is_secret(kept):
        return Visit(None, kept, form, origin, new_form_cookie=False)
    return Visit(None, cookies.new_secret(), form, origin, new_form_cookie=True)


def _demand_same_origin(request: Request) -> None:
    headers = request.headers
    if not same_origin(
        origin=headers.get("origin"),
        fetch_site=headers.get("sec-fetch-site"),
        host=headers.get("host", ""),
        behind_tls=ground(request).cookies.behind_tls,
    ):
        raise Problem(403, "cross-site", "This request did not come from a page of Vigilo at this address.")


async def _form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise Problem(415, "not-a-form", "Only forms are accepted here.")
    form = await request.form(max_fields=_MOST_FIELDS, max_files=0)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    if any(len(value) > _LONGEST_FIELD or "\0" in value for value in fields.values()):
        raise Problem(422, "invalid", "A field is too long, or holds what no text holds.")
    return fields


def _finished(request: Request, response: Response) -> Response:
    stands = ground(request)
    visit: Visit | None = getattr(request.state, "visit", None)
    if visit is not None and visit.new_form_cookie:
        stands.cookies.put(response, cookies.FORM, visit.secret, lifetime=_FORM_COOKIE_LIFETIME)
    for name, value in security_headers(behind_tls=stands.cookies.behind_tls).items():
        response.headers.setdefault(name, value)
    return response


def _refusal(request: Request, error: Exception) -> Response:
    if isinstance(error, SignInNeeded):
        # Only a page that was asked for is come back to; a form that was sent is not sent again.
        back = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
        return see_other(f"{_SIGN_IN_PATH}{back}")
    problem = _problem(request, error)
    title = HTTPStatus(problem.status).phrase
    response = show(request, "refusal", status=problem.status, title=title, detail=problem.detail)
    response.headers.update(problem.headers)
    return response


def _problem(request: Request, error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return Problem(error.status_code, "refused", str(error.detail), headers=error.headers)
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        logger.warning("the database did not answer: %s", error)
        wait = {"Retry-After": "5"}
        return Problem(
            503, "database-unavailable", "The database does not answer. Try again in a moment.", headers=wait
        )
    # The route's template, not its address: that may hold a link's secret.
    logger.error("unexpected error at %s %s", request.method, request.scope["route"].path, exc_info=error)
    return Problem(500, "internal-error", "Something went wrong on our side; it has been logged.")
