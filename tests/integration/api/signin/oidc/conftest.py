"""The API with a real issuer on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.fakes.api_server import ApiServer, api_settings, served
from tests.fakes.browser import Browser
from tests.fakes.oidc_issuer import OidcIssuer, issuing, new_rsa_key

GROUP_MAP = ("ops=one:admin", "dev=one:member", "dev=two:viewer", "cn=all,ou=x=one:viewer")


@cache
def first_key() -> RSAKey:
    return new_rsa_key("first")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def running_issuer() -> Iterator[OidcIssuer]:
    """One issuer on one port for all tests of this module."""
    issuer, loop, stop, ready = OidcIssuer(), asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def run() -> None:
        async with issuing(issuer):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield issuer
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture
def issuer(running_issuer: OidcIssuer) -> OidcIssuer:
    """The issuer, honest again."""
    fresh = OidcIssuer(url=running_issuer.url, signing=first_key())
    for name in fresh.__dataclass_fields__:
        setattr(running_issuer, name, getattr(fresh, name))
    return running_issuer


def with_issuer(api: ApiServer, issuer: OidcIssuer, **changes: Any) -> Any:
    port = free_port()
    values: dict[str, Any] = {
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": issuer.url,
        "oidc_client_id": issuer.client_id,
        "oidc_client_secret": issuer.client_secret,
        "oidc_group_map": GROUP_MAP,
        "oidc_allow": ("127.0.0.1/32:*",),
        "oidc_name": "the directory",
    }
    return served(api_settings(api.api_url, api.settings.home, **{**values, **changes}))


@pytest.fixture
def site(api: ApiServer, issuer: OidcIssuer) -> Iterator[str]:
    """The API with that issuer; nothing is remembered from the test before."""
    with with_issuer(api, issuer) as url:
        yield url


@pytest.fixture
def browser(site: str) -> Iterator[Browser]:
    with Browser(site) as made:
        yield made


def go_round(browser: Browser, *, alter: Callable[[str], str] = str) -> httpx.Response:
    """Off to the issuer and back; returns what our callback answers."""
    away = browser.get("/sign-in/oidc?next=/account")
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"], trust_env=False)
    assert back.status_code == 302, back.text
    return browser.get(alter(back.headers["location"]))


def users(api: ApiServer, issuer: OidcIssuer, subject: str) -> list[Any]:
    return api.rows(
        "select user_id, email, name from config.users where oidc_issuer = %s and oidc_subject = %s",
        issuer.url,
        subject,
    )


def roles(api: ApiServer, subject: str) -> dict[str, tuple[str, str]]:
    rows = api.rows(
        "select w.slug, m.role, m.source from config.memberships m join config.workspaces w using (workspace_id) "
        "join config.users u using (user_id) where u.oidc_subject = %s",
        subject,
    )
    return {row["slug"]: (row["role"], row["source"]) for row in rows}
