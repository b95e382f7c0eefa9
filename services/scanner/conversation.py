"""What follows a handshake: a few bytes inside TLS, and a polite end that servers need not log as a loss."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from OpenSSL import SSL

from services.scanner.connect import part
from services.scanner.sightings import HandshakeSeen
from services.scanner.transcript import Transcript
from vigilo.tls.starttls.protocols import Farewell

_CHUNK = 16 * 1024
_FAREWELL_SECONDS = 1.0  # for a greeting that has to come before a goodbye may be said


class ConversationOver(Exception):
    """The peer left, reset the connection or broke TLS; the message says which."""


class Conversation:
    """An open TLS connection and what its handshake showed. Deadlines are in the running loop's time.

    `is_open` is False when the handshake did not finish, or the server left at its end for want of a certificate of
    ours: then nothing can be said. `transcript` is what the server sent, from its first byte on.
    """

    def __init__(
        self,
        connection: socket.socket,
        tls: SSL.Connection,
        seen: HandshakeSeen,
        transcript: Transcript,
        *,
        is_open: bool,
    ) -> None:
        self.seen = seen
        self.transcript = transcript
        self._socket = connection
        self._tls = tls
        self._open = is_open

    async def say(self, data: bytes, *, deadline: float) -> None:
        """Sends application data. Raises ConversationOver, TimeoutError."""
        if not self._open:
            raise ConversationOver("the server has ended the connection")
        try:
            self._tls.sendall(data)
        except SSL.Error as error:
            raise ConversationOver("TLS broke") from error
        await self._flush(deadline)

    async def hear(self, *, deadline: float) -> bytes:
        """Some application data, at most 16 KiB. Raises ConversationOver, TimeoutError."""
        while True:
            try:
                return bytes(self._tls.recv(_CHUNK))
            except SSL.WantReadError:
                await self._flush(deadline)
            except SSL.ZeroReturnError as error:
                raise ConversationOver("the server closed the connection") from error
            except SSL.Error as error:
                raise ConversationOver("the server ended the connection with an alert, or broke TLS") from error
            self._tls.bio_write(await self._receive(deadline))

    async def listen(self, *, deadline: float) -> None:
        """Takes in what the server sends next; data inside stays to be heard. Raises ConversationOver, TimeoutError."""
        if not self._open:
            raise ConversationOver("the server has ended the connection")
        self._tls.bio_write(await self._receive(deadline))
        try:
            self._tls.recv(1, socket.MSG_PEEK)
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise ConversationOver("the server ended the connection") from error

    def session(self) -> SSL.Session | None:
        """What a later handshake may offer to go on with; in TLS 1.3 only after the server has sent a ticket."""
        return self._tls.get_session()

    async def leave(self, farewell: Farewell | None) -> None:
        """Says goodbye in the protocol's words, then close_notify, then closes the socket: two seconds at most."""
        with contextlib.suppress(ConversationOver, TimeoutError, SSL.Error):
            deadline = asyncio.get_running_loop().time() + _FAREWELL_SECONDS
            await self._say_goodbye(farewell, deadline)
            self._tls.shutdown()
            await self._flush(deadline)
        await part(self._socket)

    async def _say_goodbye(self, farewell: Farewell | None, deadline: float) -> None:
        if not self._open:
            raise ConversationOver("nothing is said after an alert")
        if farewell is None:
            return
        if farewell.after_greeting:
            await self.hear(deadline=deadline)
        await self.say(farewell.words, deadline=deadline)
        # Its answer is waited for: a server that cannot deliver it logs a failed QUIT.
        with contextlib.suppress(ConversationOver, TimeoutError):
            await self.hear(deadline=deadline)

    async def _flush(self, deadline: float) -> None:
        while True:
            try:
                data = self._tls.bio_read(_CHUNK)
            except SSL.WantReadError:
                return
            try:
                async with asyncio.timeout_at(deadline):
                    await asyncio.get_running_loop().sock_sendall(self._socket, data)
            except TimeoutError:
                raise
            except OSError as error:
                raise ConversationOver("the connection was lost") from error

    async def _receive(self, deadline: float) -> bytes:
        try:
            async with asyncio.timeout_at(deadline):
                data = await asyncio.get_running_loop().sock_recv(self._socket, _CHUNK)
        except TimeoutError:
            raise
        except OSError as error:
            raise ConversationOver("the connection was lost") from error
        if not data:
            raise ConversationOver("the server closed the connection")
        self.transcript.note(data)
        return data
