"""Anti-forgery tokens, bound to a cookie nobody else can read: HMAC-SHA256 of a fixed text under the cookie's secret.

Nothing is stored. The cookie is the session's, or before sign-in one that has no other use.
Source: OWASP CSRF Prevention Cheat Sheet (HMAC-based token).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

FIELD: Final = "csrf_token"
_PURPOSE: Final = b"vigilo form 1"


def form_token(cookie_secret: str) -> str:
    """The token that forms shown to the holder of this cookie carry."""
    digest = hmac.new(cookie_secret.encode(), _PURPOSE, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_form_token(given: str, *, cookie_secret: str) -> bool:
    """True for the token of this cookie; compared in constant time."""
    return hmac.compare_digest(given.encode(), form_token(cookie_secret).encode())
