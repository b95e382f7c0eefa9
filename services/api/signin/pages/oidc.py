"""Sign in with the issuer of the settings."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.api.problems import Problem
from services.api.resources import resources
from services.api.signin import accounts
from services.api.signin.desk import desk
from services.api.signin.groups import groups_in
from services.api.signin.oidc.flow import LIFETIME, Abandoned, Flow, Identity
from services.api.signin.oidc.issuer import ExchangeRefused, IssuerUnusable
from services.api.signin.oidc.membership import follow_groups
from services.api.signin.oidc.tokens import BadToken
from services.api.signin.pages.entered import entered
from services.api.signin.pages.forms import local_path
from services.api.signin.settings import CALLBACK_PATH
from services.api.signin.telling import log_refusal
from services.api.web import cookies
from services.api.web.floor import PageRoute, ground, see_other, visit_of

logger = logging.getLogger("vigilo.api.signin")
router = APIRouter(route_class=PageRoute)

_NOT_BELIEVED = "The issuer's answer could not be believed, so you are not signed in. Try again from the sign-in page."
_UNREACHABLE = "The issuer does not answer as it should; the log says why. Try again, or sign in with a password."


@router.get("/sign-in/oidc")
async def leave(request: Request) -> Response:
    """Off to the issuer. A plain link, for it changes nothing here."""
    flow = _flow(request)
    try:
        address, cookie = await flow.begin(
            next_path=local_path(request.query_params.get("next", "/")), at=datetime.now(UTC)
        )
    except IssuerUnusable as error:
        raise _unreachable(error) from error
    response = see_other(address)
    ground(request).cookies.put(response, cookies.OIDC, cookie, lifetime=LIFETIME)
    return response


@router.get(CALLBACK_PATH)
async def come_back(request: Request) -> Response:
    """A new session for whom the issuer vouches for; the state of the sign-in is used up whatever comes of it."""
    visit = visit_of(request)
    kept = ground(request).cookies
    at = datetime.now(UTC)
    try:
        who, next_path = await _flow(request).finish(request.url.query, kept.read(request, cookies.OIDC), at=at)
    except (Abandoned, ExchangeRefused, BadToken) as error:
        log_refusal(f"{type(error).__name__}: {error}", origin=visit.origin)
        detail = str(error) if isinstance(error, Abandoned) else _NOT_BELIEVED
        raise Problem(403, "sign-in-refused", detail, headers={"Set-Cookie": _dropped(request)}) from error
    except IssuerUnusable as error:
        raise _unreachable(error) from error
    try:
        secret = await _admit(request, who, visit.origin, at)
    except accounts.Disabled as error:
        await desk(request).entrance.note_disabled(error.user_id, visit.origin, at)
        raise Problem(403, "sign-in-refused", "This account is disabled.") from error
    return entered(request, secret, path=next_path)


async def _admit(request: Request, who: Identity, origin: str | None, at: datetime) -> str:
    settings = resources(request).settings
    groups = groups_in(who.claims.get(settings.oidc_groups_claim))
    async with resources(request).pool.connection() as connection, connection.transaction():
        user_id = await accounts.account_of_subject(
            connection, issuer=who.issuer, subject=who.subject, email=who.email, name=who.name, at=at
        )
        await follow_groups(connection, user_id, groups, settings.group_map(), origin=origin, at=at)
        return await desk(request).entrance.open(connection, user_id, by="oidc", origin=origin, at=at)


def _flow(request: Request) -> Flow:
    flow = desk(request).flow
    if flow is None:
        raise Problem(404, "not-found", "Single sign-on is not set up here.")
    return flow


def _unreachable(error: IssuerUnusable) -> Problem:
    logger.warning("the issuer cannot be used: %s", error)
    return Problem(502, "issuer-unusable", _UNREACHABLE)


def _dropped(request: Request) -> str:
    gone = Response()
    ground(request).cookies.drop(gone, cookies.OIDC)
    return gone.headers["set-cookie"]
