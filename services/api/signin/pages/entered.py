"""What happens to the browser when somebody has signed in."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from services.api.resources import resources
from services.api.web import cookies
from services.api.web.floor import ground, see_other


def entered(request: Request, secret: str, *, path: str) -> Response:
    """Off to the next page with the cookie of a new session; what was before it is taken away."""
    response = see_other(path)
    kept = ground(request).cookies
    kept.put(response, cookies.SESSION, secret, lifetime=resources(request).settings.session_lifetime)
    kept.drop(response, cookies.FORM)
    kept.drop(response, cookies.OIDC)
    return response
