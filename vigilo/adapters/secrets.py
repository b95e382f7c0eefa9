"""Secrets at rest: AES-256-GCM with a key id, bound to the place they belong to.

Source: NIST SP 800-38D. A nonce is 96 random bits; one key may seal 2^32 times before that is a concern (section 8.3).
Keys come from VIGILO_SECRET_KEYS or the file VIGILO_SECRET_KEYS_FILE names: `id:base64` separated by commas or lines;
the first one seals, all of them open, so a key is replaced by putting a new one in front.

Exceptions: BadKeys (nobody can start with these), CannotOpen (unknown key, or not what was sealed).
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, SecretStr

from vigilo.adapters.settings import EnvironmentSettings

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BadKeys(Exception):
    """The text that should hold keys does not; the message never shows one."""


class CannotOpen(Exception):
    """A sealed secret that these keys do not open, at the place it is claimed to belong to."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret nobody can read without the key `key_id`: nonce, then ciphertext and tag."""

    key_id: str
    ciphertext: bytes


class SecretBox:
    """Seals with the first key and opens with any. Shows no key in its repr."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise BadKeys("no key at all")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._sealing = next(iter(keys))

    @property
    def sealing(self) -> str:
        """Id of the key that seals."""
        return self._sealing

    def seal(self, secret: bytes, *, place: str) -> Sealed:
        """The secret, openable only at the same `place` (`channel_place`, ...)."""
        nonce = os.urandom(_NONCE_BYTES)
        return Sealed(self._sealing, nonce + self._ciphers[self._sealing].encrypt(nonce, secret, place.encode()))

    def open(self, sealed: Sealed, *, place: str) -> bytes:
        """The secret. Raises CannotOpen."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise CannotOpen(f"sealed with key {sealed.key_id!r}, which is not among VIGILO_SECRET_KEYS")
        nonce, rest = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, rest, place.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"key {sealed.key_id!r} does not open it here: altered, or of another place") from error


def channel_place(workspace_id: UUID, channel_id: UUID) -> str:
    """Where a channel's secret belongs."""
    return f"{workspace_id}/{channel_id}"


def parse_keys(text: str) -> dict[str, bytes]:
    """`id:base64` separated by commas, spaces or lines; ids are unique, keys 32 bytes. Raises BadKeys."""
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(re.split(r"[,\s]+", text.strip()), start=1):
        key_id, colon, encoded = entry.partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise BadKeys(f"entry {number} is not id:base64")
        if key_id in keys:
            raise BadKeys(f"the id {key_id!r} comes twice")
        keys[key_id] = _key(key_id, encoded)
    return keys


def _key(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKeys(f"the key {key_id!r} is not base64") from error
    if len(key) != _KEY_BYTES:
        raise BadKeys(f"the key {key_id!r} has {len(key)} bytes, not {_KEY_BYTES}")
    return key


def new_key(key_id: str) -> str:
    """A fresh key as an entry of VIGILO_SECRET_KEYS."""
    return f"{key_id}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


class SecretSettings(EnvironmentSettings):
    """The keys secrets are sealed with."""

    secret_keys: SecretStr = Field(description="id:base64 of 32 bytes, separated by commas; the first one seals")

    def box(self) -> SecretBox:
        """The box with these keys. Raises BadKeys."""
        return SecretBox(parse_keys(self.secret_keys.get_secret_value()))
