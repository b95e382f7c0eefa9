"""A command sent twice with the same Idempotency-Key happens once, and is answered twice with the same words.

The key is guarded by an advisory lock and its answer stored in the transaction of the effect: a crash leaves both or
neither, never a key that is stuck "running".
Source: IETF draft-ietf-httpapi-idempotency-key-header-07. Answers are kept for 24 hours; errors are not kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from services.api.audit.change import Change
from services.api.problems import Problem, invalid
from vigilo.adapters.postgres import Connection
from vigilo.adapters.secrets import Sealed, SecretBox

LIFETIME: Final = timedelta(hours=24)
# Of the header, as the description tells it: the key, with or without quotes.
KEY_PATTERN: Final = r'^("[!#-\[\]-~]{1,255}"|[!#-\[\]-~]{1,255})$'
_KEY = re.compile(r"[!#-\[\]-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a command. `secret` marks a body that shows a secret once: it is kept sealed.

    `changes`: what the command changed, for the audit log; empty only if it changed nothing.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: bool = False
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request with a key. `fingerprint` stands for method, path and body."""

    workspace_id: UUID
    key: str
    fingerprint: bytes

    @property
    def place(self) -> str:
        """Where a sealed answer belongs."""
        return f"{self.workspace_id}/idempotency/{self.key}"


def parse_key(header: str) -> str:
    """The key, with or without the quotes of a structured-field string. Raises a 400 problem."""
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise Problem(400, "bad-idempotency-key", "Idempotency-Key must be 1 to 255 printable characters, no spaces.")
    return key


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What a request asks for; the same key with another one is a mistake."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest()


async def stored_answer(connection: Connection, attempt: Attempt, box: SecretBox, *, at: datetime) -> Answer | None:
    """The answer given before, or None: then this request is the one that acts, until its transaction ends.

    Raises 409 while another request with this key is under way, 422 if the key came with another request.
    """
    if not await _alone(connection, attempt):
        raise Problem(
            409,
            "idempotency-key-in-use",
            "A request with this Idempotency-Key is under way; ask again in a moment.",
            headers={"Retry-After": "1"},
        )
    row = await (
        await connection.execute(
            "select fingerprint, status, headers, body, key_id from config.idempotency_keys "
            "where key = %s and expires_at > %s",
            (attempt.key, at),
        )
    ).fetchone()
    if row is None:
        return None
    if bytes(row["fingerprint"]) != attempt.fingerprint:
        allowed = "a new key for every new request"
        raise invalid("Idempotency-Key", "this key was used for another request", allowed, location="header")
    body = bytes(row["body"])
    if row["key_id"] is not None:
        body = box.open(Sealed(row["key_id"], body), place=attempt.place)
    return Answer(row["status"], body, row["headers"], row["key_id"] is not None)


async def store_answer(
    connection: Connection, attempt: Attempt, answer: Answer, box: SecretBox, *, at: datetime
) -> None:
    """Keeps the answer, in the transaction of its effect."""
    sealed = box.seal(answer.body, place=attempt.place) if answer.secret else None
    await connection.execute(
        "delete from config.idempotency_keys where key = %s and expires_at <= %s", (attempt.key, at)
    )
    await connection.execute(
        "insert into config.idempotency_keys "
        "(workspace_id, key, fingerprint, status, headers, body, key_id, created_at, expires_at) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            attempt.workspace_id,
            attempt.key,
            attempt.fingerprint,
            answer.status,
            Jsonb(dict(answer.headers)),
            sealed.ciphertext if sealed else answer.body,
            sealed.key_id if sealed else None,
            at,
            at + LIFETIME,
        ),
    )


async def _alone(connection: Connection, attempt: Attempt) -> bool:
    digest = hashlib.sha256(attempt.place.encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    row = await (await connection.execute("select pg_try_advisory_xact_lock(%s) as yes", (number,))).fetchone()
    return bool(row and row["yes"])
