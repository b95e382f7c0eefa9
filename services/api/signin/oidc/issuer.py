"""The issuer of the settings, and nobody else: every connection goes to its hosts, at addresses the policy has checked.

A name is resolved once, every answer is checked, and that very address is connected to; redirects are not followed.
Source: OpenID Connect Discovery 1.0 sections 4.2 and 4.3, RFC 6749 section 4.1.3.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from services.api.signin.settings import SignInSettings
from vigilo.adapters.egress import DeliveryEgress, EgressDenied, parse_grants, parse_listeners

_TIMEOUT_SECONDS: Final = 10.0
_ANSWER_BYTES: Final = 512 * 1024
_METADATA_SECONDS: Final = 3600.0
_PORTS: Final = {"https": 443, "http": 80}


class IssuerUnusable(Exception):
    """The issuer cannot be reached, or what it says of itself cannot be used; the message is for the operator."""


class ExchangeRefused(Exception):
    """The issuer does not take the code."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the issuer's discovery document says, as far as it is used."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: tuple[str, ...]
    client_authentication: tuple[str, ...]


class Issuer:
    """Asks the issuer; remembers its metadata for an hour and its keys until one is missing."""

    def __init__(self, settings: SignInSettings, *, own_listeners: tuple[str, ...] = ()) -> None:
        assert settings.oidc_issuer is not None and settings.oidc_client_id is not None
        self.name = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        secret = settings.oidc_client_secret
        self._secret = secret.get_secret_value() if secret else None
        self._hosts = frozenset({urlsplit(self.name).hostname, *(host.lower() for host in settings.oidc_hosts)})
        self._egress = DeliveryEgress(parse_grants(settings.oidc_allow), parse_listeners(own_listeners))
        # No connection is kept: the next one to the same address might be for another name.
        limits = httpx.Limits(max_keepalive_connections=0, max_connections=10)
        self._client = httpx.AsyncClient(
            verify=settings.oidc_tls(), trust_env=False, follow_redirects=False, timeout=_TIMEOUT_SECONDS, limits=limits
        )
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: Mapping[str, Any] | None = None

    async def close(self) -> None:
        """Closes what is open."""
        await self._client.aclose()

    async def metadata(self) -> Metadata:
        """The discovery document. Raises IssuerUnusable."""
        if self._metadata is None or monotonic() - self._metadata[0] > _METADATA_SECONDS:
            status, document = await self._ask("GET", f"{self.name.rstrip('/')}/.well-known/openid-configuration")
            if status != 200:
                raise IssuerUnusable(f"the discovery document is answered with status {status}")
            self._metadata = (monotonic(), self._checked_metadata(document))
        return self._metadata[1]

    async def keys(self, *, fresh: bool = False) -> Mapping[str, Any]:
        """The JWK set; `fresh` asks again, for a token that names an unknown key. Raises IssuerUnusable."""
        if self._keys is None or fresh:
            status, document = await self._ask("GET", (await self.metadata()).jwks_uri)
            if status != 200:
                raise IssuerUnusable(f"the keys are answered with status {status}")
            self._keys = document
        return self._keys

    async def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """The tokens for a code. Raises ExchangeRefused, IssuerUnusable."""
        metadata = await self.metadata()
        body = prepare_token_request("authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        method = client_authentication(metadata.client_authentication, has_secret=self._secret is not None)
        client = ClientAuth(self.client_id, self._secret, method)
        url, headers, body = client.prepare("POST", metadata.token_endpoint, headers, body)
        status, answer = await self._ask("POST", url, headers=headers, body=body)
        if status != 200:
            raise ExchangeRefused(f"status {status}, {str(answer.get('error'))[:100]}")
        return answer

    async def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """The userinfo endpoint's claims; none where there is no such endpoint. Raises IssuerUnusable."""
        endpoint = (await self.metadata()).userinfo_endpoint
        if endpoint is None:
            return {}
        status, claims = await self._ask("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})
        if status != 200:
            raise IssuerUnusable(f"userinfo is answered with status {status}")
        return claims

    def _checked_metadata(self, document: Mapping[str, Any]) -> Metadata:
        if document.get("issuer") != self.name:
            raise IssuerUnusable(f"the discovery document is of another issuer: {str(document.get('issuer'))[:200]!r}")
        try:
            metadata = Metadata(
                authorization_endpoint=str(document["authorization_endpoint"]),
                token_endpoint=str(document["token_endpoint"]),
                jwks_uri=str(document["jwks_uri"]),
                userinfo_endpoint=document.get("userinfo_endpoint"),
                algorithms=tuple(document.get("id_token_signing_alg_values_supported") or ("RS256",)),
                client_authentication=tuple(
                    document.get("token_endpoint_auth_methods_supported") or ("client_secret_basic",)
                ),
            )
        except KeyError as error:
            raise IssuerUnusable(f"the discovery document lacks {error}") from error
        # People's browsers go there with our words in the address: https, or what was granted.
        self._split(metadata.authorization_endpoint)
        return metadata

    async def _ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await self._send(method, url, dict(headers or {}), body)
        except EgressDenied as error:
            raise IssuerUnusable(f"{urlsplit(url).hostname}: {error.reason}; grants: VIGILO_OIDC_ALLOW") from error
        except (OSError, httpx.HTTPError, ValueError) as error:
            raise IssuerUnusable(f"{urlsplit(url).hostname}: {type(error).__name__} {error}") from error

    async def _send(
        self, method: str, url: str, headers: dict[str, str], body: str | None
    ) -> tuple[int, Mapping[str, Any]]:
        scheme, host, port = self._split(url)
        address = await self._address(scheme, host, port)
        target = httpx.URL(url).copy_with(host=f"[{address}]" if ":" in address else address)
        request = self._client.build_request(
            method,
            target,
            content=body,
            headers={**headers, "Host": urlsplit(url).netloc, "Accept": "application/json"},
            extensions={"sni_hostname": host} if scheme == "https" else {},
        )
        answer = await self._client.send(request, stream=True)
        try:
            return answer.status_code, _object(await _limited(answer))
        finally:
            await answer.aclose()

    def _split(self, url: str) -> tuple[str, str, int]:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme not in _PORTS or "@" in parts.netloc:
            raise IssuerUnusable(f"not a web address: {url[:200]!r}")
        if host not in self._hosts:
            raise IssuerUnusable(f"{host!r} is not a host of the issuer; others are listed in VIGILO_OIDC_HOSTS")
        return parts.scheme, host, parts.port or _PORTS[parts.scheme]

    async def _address(self, scheme: str, host: str, port: int) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:  # every answer must be allowed: a mixed answer is a rebinding attempt
            self._egress.check(address, port, encrypted=scheme == "https")
        return addresses[0]


def client_authentication(offered: tuple[str, ...], *, has_secret: bool) -> str:
    """How we prove who we are at the token endpoint: by what the issuer offers; a public client by its id alone."""
    if not has_secret:
        return "none"
    return next((one for one in ("client_secret_basic", "client_secret_post") if one in offered), "client_secret_basic")


async def _limited(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _ANSWER_BYTES:
            raise ValueError("the answer is too long")
    return body


def _object(body: bytes) -> Mapping[str, Any]:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("the answer is no JSON object")
    return answer
