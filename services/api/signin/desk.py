"""What the sign-in pages share while the app runs; made in wiring.py, found through the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from services.api.signin.entering import Entrance
from services.api.signin.oidc.flow import Flow
from services.api.signin.oidc.issuer import Issuer


@dataclass(frozen=True, slots=True)
class Desk:
    """Sign-in of one running app. `issuer` and `flow` are None without OpenID Connect."""

    entrance: Entrance
    issuer: Issuer | None
    flow: Flow | None


def desk(request: Request) -> Desk:
    """The desk of the app that serves this request."""
    return cast(Desk, request.app.state.desk)
