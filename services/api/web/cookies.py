"""The three cookies of the pages. None is readable by scripts, none is sent with another site's forms.

Behind TLS their names begin with `__Host-`: no other host, not even a sibling domain, can set them.
Source: RFC 6265bis sections 4.1.2.7 (SameSite) and 4.1.3.2 (`__Host-`).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "vigilo-session"
FORM: Final = "vigilo-form"
OIDC: Final = "vigilo-oidc"
_HOST_PREFIX: Final = "__Host-"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def is_secret(text: str | None) -> bool:
    """True for text of the form `new_secret` gives."""
    return text is not None and _SECRET.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and writes the cookies of one installation."""

    behind_tls: bool

    def name(self, cookie: str) -> str:
        """The cookie's name in the browser."""
        return f"{_HOST_PREFIX}{cookie}" if self.behind_tls else cookie

    def read(self, request: Request, cookie: str) -> str | None:
        """What the browser sent; None if it sent none."""
        return request.cookies.get(self.name(cookie))

    def put(self, response: Response, cookie: str, value: str, *, lifetime: timedelta) -> None:
        """Gives the browser this cookie; it replaces one of that name."""
        seconds = int(lifetime.total_seconds())
        response.set_cookie(
            self.name(cookie),
            value,
            max_age=seconds,
            path="/",
            secure=self.behind_tls,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response, cookie: str) -> None:
        """Takes the cookie away."""
        response.delete_cookie(self.name(cookie), path="/", secure=self.behind_tls, httponly=True, samesite="lax")
