"""Whether an ID token is the issuer's word, to us, about this very sign-in. Pure, but for the clock that is passed in.

Source: OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725 (JWT best current practices: algorithms are pinned).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

# Asymmetric ones only: `none` is no signature, and with HS256 our own secret would be the key.
_ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_CLOCKS_DIFFER_SECONDS: Final = 60
_LONGEST_SUBJECT: Final = 255  # OpenID Connect Core 1.0 section 2: "MUST NOT exceed 255 ASCII characters"


class BadToken(Exception):
    """Not the issuer's word to us about this sign-in; the message says why."""


class UnknownKey(Exception):
    """Signed with a key that is not in the set; the issuer may have a new one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: Sequence[str]


def verified_claims(
    id_token: str, keys: Mapping[str, Any], expected: Expected, *, access_token: str | None, at: datetime
) -> Mapping[str, Any]:
    """The claims. Raises BadToken, UnknownKey."""
    allowed = sorted(_ALGORITHMS.intersection(expected.algorithms))
    try:
        registry = JWSRegistry(algorithms=allowed, strict_check_header=False)
        token = jwt.decode(id_token, KeySet.import_key_set(_usable(keys)), registry=registry)
        claims = CodeIDToken(token.claims, token.header, _options(expected), _parameters(expected, access_token))
        claims.validate(now=int(at.timestamp()), leeway=_CLOCKS_DIFFER_SECONDS)
    except InvalidKeyIdError as error:
        raise UnknownKey(str(error)) from error
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadToken(f"{type(error).__name__}: {error}") from error
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise BadToken("the subject is not a text of 1 to 255 characters")
    return dict(claims)


def _usable(keys: Mapping[str, Any]) -> Any:
    """Only public keys for signatures: a symmetric one in the set is nobody's proof."""
    listed = keys.get("keys")
    if not isinstance(listed, list):
        raise ValueError("the key set holds no keys")
    return {"keys": [key for key in listed if isinstance(key, dict) and _for_signatures(key)]}


def _for_signatures(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"


def _options(expected: Expected) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "nonce": {"essential": True, "value": expected.nonce},
    }


def _parameters(expected: Expected, access_token: str | None) -> dict[str, Any]:
    return {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": access_token}
