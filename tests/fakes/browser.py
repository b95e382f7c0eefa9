"""A browser as far as forms, cookies and their headers go: it keeps cookies, sends Origin, fills in hidden fields."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given.get("name") or ""] = given.get("value") or ""


def hidden_fields(page: str) -> dict[str, str]:
    """Names and values of a page's hidden fields."""
    fields = _Fields()
    fields.feed(page)
    return fields.hidden


class Browser:
    """One person's browser at one installation. Redirects are followed only within it."""

    def __init__(self, base_url: str, **options: Any) -> None:
        self.base_url = base_url
        self.client = httpx.Client(base_url=base_url, timeout=30, trust_env=False, follow_redirects=False, **options)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A page somebody opened."""
        return self.client.get(path, **options)

    def send(self, path: str, page: str | None = None, /, **fields: str) -> httpx.Response:
        """Opens the page (by default the form's own address) and sends its form with these fields."""
        shown = self.get(page or path)
        return self.post(path, {**hidden_fields(shown.text), **fields})

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Sends a form as the browser would send one of this site."""
        told = {"Origin": self.base_url, "Sec-Fetch-Site": "same-origin", **headers}
        return self.client.post(path, data=fields, headers=told)

    def sign_in(self, email: str, password: str) -> httpx.Response:
        """What the sign-in form answers."""
        return self.send("/sign-in", email=email, password=password)

    @property
    def session(self) -> str | None:
        """The session's cookie."""
        return self.client.cookies.get("vigilo-session")
