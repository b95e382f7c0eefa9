"""What every page tells the browser about itself.

Sources: CSP Level 3, RFC 6797 (HSTS), W3C Referrer Policy, W3C Permissions Policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# No inline script and no inline style anywhere, so neither needs an exception.
_POLICY: Final = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
_UNUSED_ABILITIES: Final = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
_TWO_YEARS_SECONDS: Final = 63_072_000


def security_headers(*, behind_tls: bool) -> Mapping[str, str]:
    """The headers of every page. HSTS only where TLS is certain: it would lock people out of plain http."""
    headers = {
        "Content-Security-Policy": _POLICY,
        # Not no-referrer: with it, browsers send `Origin: null` with our own forms (Fetch, "append a request Origin").
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{ability}=()" for ability in _UNUSED_ABILITIES),
        "Cache-Control": "no-store",
    }
    if behind_tls:
        headers["Strict-Transport-Security"] = f"max-age={_TWO_YEARS_SECONDS}; includeSubDomains"
    return headers
