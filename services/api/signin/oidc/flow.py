"""One sign-in with the issuer: off with state, nonce and a PKCE challenge, back with a code.

What must be known when the person comes back is sealed into a cookie of ten minutes; nothing is kept here.
Source: OpenID Connect Core 1.0 section 3.1, RFC 7636 (PKCE, S256), RFC 9207 (`iss` in the answer).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from authlib.oauth2.rfc6749.errors import MismatchingStateException, MissingCodeException
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response, prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from pydantic import BaseModel, ConfigDict, ValidationError

from services.api.signin.oidc.issuer import Issuer
from services.api.signin.oidc.tokens import BadToken, Expected, UnknownKey, verified_claims
from services.api.signin.settings import CALLBACK_PATH, SignInSettings
from services.api.web.cookies import new_secret
from vigilo.adapters.secrets import CannotOpen, Sealed, SecretBox

LIFETIME: Final = timedelta(minutes=10)
_PLACE: Final = "sign-in/oidc"


class Abandoned(Exception):
    """This sign-in leads nowhere; the message may be shown, the cause is logged."""


class Underway(BaseModel):
    """What is known of a sign-in that is under way at the issuer."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    state: str
    nonce: str
    verifier: str
    began: datetime
    next: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the issuer has signed in. `email` is None unless the issuer says it is verified."""

    issuer: str
    subject: str
    name: str
    email: str | None
    claims: dict[str, Any]


class Flow:
    """Leads people to the issuer and back."""

    def __init__(self, settings: SignInSettings, issuer: Issuer, box: SecretBox) -> None:
        self._scopes = settings.oidc_scopes
        self._redirect_uri = f"{settings.public_url}{CALLBACK_PATH}"
        self._groups_claim = settings.oidc_groups_claim
        self._issuer = issuer
        self._box = box

    async def begin(self, *, next_path: str, at: datetime) -> tuple[str, str]:
        """Where to send the browser, and the cookie that must come back with it. Raises IssuerUnusable."""
        underway = Underway(state=new_secret(), nonce=new_secret(), verifier=new_secret(), began=at, next=next_path)
        metadata = await self._issuer.metadata()
        address = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._issuer.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=self._scopes,
            state=underway.state,
            nonce=underway.nonce,
            code_challenge=create_s256_code_challenge(underway.verifier),
            code_challenge_method="S256",
        )
        return str(address), self._seal(underway)

    async def finish(self, query: str, cookie: str | None, *, at: datetime) -> tuple[Identity, str]:
        """Who came back, and the path he wanted. Raises Abandoned, BadToken, ExchangeRefused, IssuerUnusable."""
        underway = self._open(cookie, at=at)
        code = self._code(query, underway)
        tokens = await self._issuer.exchange(code, verifier=underway.verifier, redirect_uri=self._redirect_uri)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str):
            raise BadToken("the answer holds no ID token")
        access = access_token if isinstance(access_token, str) else None
        claims = await self._claims(id_token, access, underway.nonce, at=at)
        return identity(self._issuer.name, claims), underway.next

    def _code(self, query: str, underway: Underway) -> str:
        said = parse_qs(query)
        if "iss" in said and said["iss"] != [self._issuer.name]:
            raise Abandoned("The answer came from another issuer.")
        if not hmac.compare_digest("".join(said.get("state", [])).encode(), underway.state.encode()):
            raise Abandoned("This answer does not belong to a sign-in you began here.")
        if "error" in said:
            raise Abandoned("The issuer did not sign you in.")
        try:
            return str(parse_authorization_code_response(f"?{query}", state=underway.state)["code"])
        except (MissingCodeException, MismatchingStateException) as error:
            raise Abandoned("The issuer's answer is not complete.") from error

    async def _claims(self, id_token: str, access_token: str | None, nonce: str, *, at: datetime) -> dict[str, Any]:
        algorithms = (await self._issuer.metadata()).algorithms
        expected = Expected(self._issuer.name, self._issuer.client_id, nonce, algorithms)
        try:
            keys = await self._issuer.keys()
            claims = verified_claims(id_token, keys, expected, access_token=access_token, at=at)
        except UnknownKey:
            claims = await self._with_fresh_keys(id_token, access_token, expected, at=at)
        if self._groups_claim in claims or access_token is None:
            return dict(claims)
        more = await self._issuer.userinfo(access_token)
        # OpenID Connect Core 1.0 section 5.3.2: without the same subject it is about somebody else.
        return {**more, **claims} if more.get("sub") == claims["sub"] else dict(claims)

    async def _with_fresh_keys(
        self, id_token: str, access_token: str | None, expected: Expected, *, at: datetime
    ) -> dict[str, Any]:
        try:
            keys = await self._issuer.keys(fresh=True)
            return dict(verified_claims(id_token, keys, expected, access_token=access_token, at=at))
        except UnknownKey as error:
            raise BadToken(f"signed with an unknown key: {error}") from error

    def _seal(self, underway: Underway) -> str:
        sealed = self._box.seal(underway.model_dump_json().encode(), place=_PLACE)
        return f"{sealed.key_id}~{base64.urlsafe_b64encode(sealed.ciphertext).decode()}"

    def _open(self, cookie: str | None, *, at: datetime) -> Underway:
        key_id, _, text = (cookie or "").partition("~")
        try:
            opened = self._box.open(Sealed(key_id, base64.urlsafe_b64decode(text)), place=_PLACE)
            underway = Underway.model_validate_json(opened)
        except (CannotOpen, ValidationError, binascii.Error, ValueError) as error:
            raise Abandoned("No sign-in was begun in this browser, or it was too long ago.") from error
        if not timedelta(0) <= at - underway.began.astimezone(UTC) <= LIFETIME:
            raise Abandoned("This sign-in was begun too long ago.")
        return underway


def identity(issuer: str, claims: dict[str, Any]) -> Identity:
    """Whom these verified claims are about; only `sub` identifies, the rest describes."""
    subject = str(claims["sub"])
    name = next((claims[key] for key in ("name", "preferred_username", "email") if _text(claims.get(key))), subject)
    verified = claims.get("email_verified") is True and _text(claims.get("email"))
    email = str(claims["email"]).lower()[:254] if verified else None
    return Identity(issuer, subject, str(name)[:200], email, claims)


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
