"""Where a request was made: by a page of ours, or by somebody else's.

Browsers write `Origin` and `Sec-Fetch-Site` themselves; a page cannot. Source: Fetch Standard, W3C Fetch Metadata,
OWASP ASVS 5.0 3.5.1 and 3.5.3.
"""

from __future__ import annotations

from typing import Final

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def same_origin(*, origin: str | None, fetch_site: str | None, host: str, behind_tls: bool) -> bool:
    """True if the headers prove that a page of this very origin asked; what proves nothing is refused.

    `host` is the Host header, which front.py has checked against the names we answer to.
    """
    if fetch_site is not None and fetch_site != "same-origin":
        return False
    if origin is None:
        return fetch_site == "same-origin"
    scheme = "https" if behind_tls else "http"
    return origin.lower() == f"{scheme}://{_without_default_port(host.strip().lower(), scheme)}"


def _without_default_port(host: str, scheme: str) -> str:
    return host.removesuffix(":443" if scheme == "https" else ":80")
