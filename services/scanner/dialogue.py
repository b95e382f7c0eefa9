"""Carries a STARTTLS dialogue over a socket: bytes to and from vigilo.tls.starttls, under one absolute deadline."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from services.scanner.exchange import receive, send
from services.scanner.peer_words import looks_like_tls
from services.scanner.sightings import Unsuccessful
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Outcome
from vigilo.tls.starttls.dialogue import DIALOGUE_MAX, Dialogue, NeedMore, Party, Ready, Refused, Step, Why

_CHUNK = 16 * 1024
_OUTCOMES = {Why.REFUSED: Outcome.STARTTLS_REFUSED, Why.BUSY: Outcome.THROTTLED, Why.STRANGER: Outcome.NOT_TLS}


class DialogueFailed(Unsuccessful):
    """A dialogue that did not lead to TLS. `first` is what the peer sent first (empty when it sent nothing).

    `ungreeted`: time was up before the server's greeting had ended.
    """

    ungreeted = False

    def __init__(self, outcome: Outcome, detail: str, *, protocol: Protocol, first: bytes = b"") -> None:
        super().__init__(outcome, detail)
        self.protocol = protocol if first else None
        self.first = first

    @property
    def spoke_tls(self) -> bool:
        """True when the peer's first bytes were a TLS record."""
        return bool(self.first) and looks_like_tls(self.first)


class Carrier:
    """One dialogue over one socket, which stays open. `deadline` is in the running loop's time.

    Servers that keep strangers waiting for their greeting may have `greeting_seconds` for it: `deadline` moves by the
    time that was waited.
    """

    def __init__(
        self,
        connection: socket.socket,
        protocol: Protocol,
        dialogue: Dialogue,
        *,
        deadline: float,
        greeting_seconds: float = 0.0,
    ) -> None:
        self.deadline = deadline
        self._greeting_seconds = greeting_seconds
        self._socket = connection
        self._protocol = protocol
        self._dialogue = dialogue
        self._first = b""
        self._greeted = False

    async def run(self, *, patience: float | None = None) -> int:
        """Until TLS may begin; the number of bytes that came too early for it.

        `patience` (loop time) bounds the wait for the first byte.
        Raises DialogueFailed: starttls-refused, throttled, not-tls, tls-timeout, closed, reset.
        """
        begun = asyncio.get_running_loop().time()
        step: Step = self._dialogue.begin()
        while isinstance(step, NeedMore):
            self._note_greeting(step, begun)
            await self._send(step.send)
            step = self._dialogue.receive(await self._receive(patience))
        if isinstance(step, Refused):
            await self._leave(step)
            raise self._failed(_OUTCOMES[step.why], f"{self._protocol}: {step.reason}")
        return await self._agreed(step)

    def _note_greeting(self, step: NeedMore, begun: float) -> None:
        # It has ended when there is something to say: greetings have many lines, some of them held back.
        if step.send and not self._greeted:
            self._greeted = True
            self.deadline += min(self._greeting_seconds, asyncio.get_running_loop().time() - begun)

    async def _agreed(self, step: Ready) -> int:
        await self._send(step.send)
        early = len(step.leftover)
        # What is here by now was sent before our first TLS byte: no server has anything to say yet.
        with contextlib.suppress(BlockingIOError, OSError):
            early += len(self._socket.recv(DIALOGUE_MAX))
        return early

    async def _leave(self, step: Refused) -> None:
        with contextlib.suppress(DialogueFailed):
            await self._send(step.send)

    async def _send(self, data: bytes) -> None:
        try:
            await send(self._socket, data, deadline=self.deadline, where=self._where())
        except Unsuccessful as failure:
            raise self._failed(failure.outcome, failure.detail) from failure

    async def _receive(self, patience: float | None) -> bytes:
        until = self.deadline if self._greeted else self.deadline + self._greeting_seconds
        if patience is not None and not self._first:
            until = min(patience, until)
        try:
            data = await receive(self._socket, _CHUNK, deadline=until, where=self._where())
        except Unsuccessful as failure:
            raise self._failed(failure.outcome, failure.detail) from failure
        self._first = self._first or data
        return data

    def _where(self) -> str:
        if not self._first:
            return f"before its first byte of {self._protocol}"
        return f"in the {self._protocol} dialogue before TLS, after {self._dialogue.received} bytes"

    def _failed(self, outcome: Outcome, detail: str) -> DialogueFailed:
        failure = DialogueFailed(outcome, detail, protocol=self._protocol, first=self._first)
        failure.ungreeted = not self._greeted and outcome is Outcome.TLS_TIMEOUT
        return failure


def party_at(connection: socket.socket, own_name: str | None, peer_name: str, port: int) -> Party:
    """Who talks to whom; `own_name` None = our end of the connection, as EHLO writes it."""
    return Party(own_name or _address_literal(connection), peer_name, port)


def _address_literal(connection: socket.socket) -> str:
    """`[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3)."""
    try:
        address = str(connection.getsockname()[0]).partition("%")[0]
    except OSError:  # gone already; the dialogue will notice
        address = "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
