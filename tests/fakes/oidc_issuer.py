"""A real OpenID Connect issuer on loopback: discovery, authorize, token with PKCE, keys, userinfo; and ways to lie.

It signs with real keys. `lie` alters what it is about to sign; each kind of lie is one a client must not believe.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from tests.fakes.http_server import serving

Claims = dict[str, Any]
Key = RSAKey | ECKey


def new_rsa_key(kid: str) -> RSAKey:
    """A fresh key for RS256."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)


def new_ec_key(kid: str) -> ECKey:
    """A fresh key for ES256."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}, private=True)


@dataclass
class Granted:
    """What a code stands for, until it is used."""

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    scope: str


@dataclass
class OidcIssuer:
    """The issuer. Set `person` before somebody comes; `published` are the keys that /jwks shows."""

    url: str = ""
    client_id: str = "vigilo"
    client_secret: str = "a secret of two"
    person: Claims = field(default_factory=lambda: {"sub": "ada", "name": "Ada", "groups": []})
    in_userinfo: Claims = field(default_factory=dict)
    signing: Key = field(default_factory=lambda: new_rsa_key("first"))
    algorithm: str = "RS256"
    published: list[Key] | None = None
    metadata: Claims = field(default_factory=dict)
    lie: Callable[[Claims], Claims] = lambda claims: claims
    forge: Callable[[Claims], str] | None = None
    authorized: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, Granted] = field(default_factory=dict)

    def signed(self, claims: Claims) -> str:
        """The ID token."""
        header = {"alg": self.algorithm, "kid": self.signing.kid}
        return jwt.encode(header, claims, self.signing, algorithms=[self.algorithm])

    def unsigned(self, claims: Claims) -> str:
        """The same with `alg: none`."""
        return jwt.encode({"alg": "none"}, claims, OctKey.import_key("unused key for none"), algorithms=["none"])

    def signed_with_secret(self, claims: Claims) -> str:
        """The same with HS256 and the client's secret as the key."""
        key = OctKey.import_key(self.client_secret)
        return jws.serialize_compact({"alg": "HS256"}, json.dumps(claims), key, algorithms=["HS256"])

    def discovery(self) -> Claims:
        """What /.well-known/openid-configuration says."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "id_token_signing_alg_values_supported": [self.algorithm],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.metadata,
        }

    def claims(self, granted: Granted) -> Claims:
        """What an honest ID token says."""
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": granted.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": granted.nonce,
            **self.person,
        }


def _authorize(issuer: OidcIssuer, request: web.Request) -> web.StreamResponse:
    asked = dict(request.query)
    issuer.authorized.append(asked)
    if asked.get("client_id") != issuer.client_id or asked.get("code_challenge_method") != "S256":
        return web.Response(status=400, text="unknown client, or no PKCE")
    code = secrets.token_urlsafe(16)
    issuer.codes[code] = Granted(
        asked["client_id"], asked["redirect_uri"], asked["code_challenge"], asked["nonce"], asked["scope"]
    )
    answer = urlencode({"code": code, "state": asked["state"], "iss": issuer.url})
    return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{answer}"})


async def _token(issuer: OidcIssuer, request: web.Request) -> web.StreamResponse:
    form = await request.post()
    expected = base64.b64encode(f"{issuer.client_id}:{issuer.client_secret}".encode()).decode()
    if request.headers.get("Authorization") != f"Basic {expected}":
        return web.json_response({"error": "invalid_client"}, status=401)
    granted = issuer.codes.pop(str(form.get("code")), None)  # one use
    digest = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if granted is None or granted.challenge != challenge or granted.redirect_uri != form.get("redirect_uri"):
        return web.json_response({"error": "invalid_grant"}, status=400)
    claims = issuer.lie(issuer.claims(granted))
    id_token = (issuer.forge or issuer.signed)(claims)
    return web.json_response({"access_token": "for-userinfo", "token_type": "Bearer", "id_token": id_token})


def _userinfo(issuer: OidcIssuer, request: web.Request) -> web.StreamResponse:
    if request.headers.get("Authorization") != "Bearer for-userinfo":
        return web.json_response({"error": "invalid_token"}, status=401)
    return web.json_response({"sub": issuer.person["sub"], **issuer.in_userinfo})


def _keys(issuer: OidcIssuer) -> web.StreamResponse:
    published = [issuer.signing] if issuer.published is None else issuer.published
    return web.json_response({"keys": [key.as_dict(private=False) for key in published]})


@asynccontextmanager
async def issuing(issuer: OidcIssuer) -> AsyncIterator[OidcIssuer]:
    """The issuer answers on loopback as long as the block lasts."""

    async def answer(request: web.Request) -> web.StreamResponse:
        issuer.asked.append(request.path)
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(issuer.discovery())
            case "/authorize":
                return _authorize(issuer, request)
            case "/token":
                return await _token(issuer, request)
            case "/jwks":
                return _keys(issuer)
            case "/userinfo":
                return _userinfo(issuer, request)
        return web.Response(status=404)

    async with serving({"/{path:.*}": answer}, method="*") as base:
        issuer.url = base
        yield issuer
