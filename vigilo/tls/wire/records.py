"""Puts records together to handshake messages and alerts (RFC 8446 section 5, RFC 5246 section 6). Pure.

Bounded whatever comes: bytes in all, the length of a message, empty records and warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vigilo.tls.wire.reading import Malformed

BYTES_MAX = 512 * 1024
MESSAGE_MAX = 256 * 1024
RECORD_MAX = 2**14 + 2048
TRIFLES_MAX = 16  # empty records, warnings and change_cipher_specs together

_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA = 20, 21, 22, 23
_WARNING, _FATAL = 1, 2
_CLOSE_NOTIFY = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One handshake message without its header."""

    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class FatalAlert:
    """The peer ended the connection; `close_notify` counts, whatever its level."""

    description: int


@dataclass(frozen=True, slots=True)
class Encrypted:
    """From here on nothing is readable without keys. `record` is the whole record."""

    record: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ChangeCipherSpec:
    """Up to TLS 1.2: what follows is encrypted, whatever its type."""


Item = Message | FatalAlert | Encrypted


@dataclass(slots=True)
class Records:
    """What has been received on one connection and is not a whole message yet. `warnings` are their descriptions.

    `bytes_max` and `message_max` bound what is taken.
    """

    bytes_max: int = BYTES_MAX
    message_max: int = MESSAGE_MAX
    received: int = 0
    warnings: list[int] = field(default_factory=list)
    _raw: bytearray = field(default_factory=bytearray)
    _handshake: bytearray = field(default_factory=bytearray)
    _alert: bytearray = field(default_factory=bytearray)
    _trifles: int = 0

    def feed(self, data: bytes) -> list[Item]:
        """What the new bytes completed, in order. Raises Malformed for what is no TLS, or too much of it."""
        return [item for item in self.each(data) if not isinstance(item, ChangeCipherSpec)]

    def each(self, data: bytes) -> Iterator[Item | ChangeCipherSpec]:
        """The same one by one, so that whoever listens may stop at the first it cannot read on after."""
        self.received += len(data)
        if self.received > self.bytes_max:
            raise Malformed(f"more than {self.bytes_max} bytes")
        self._raw += data
        while (record := self._next_record()) is not None:
            yield from self._open(*record)

    def _next_record(self) -> tuple[bytes, bytes] | None:
        raw = self._raw
        if raw and not _CHANGE_CIPHER_SPEC <= raw[0] <= _APPLICATION_DATA:
            raise Malformed(f"no TLS record begins with {raw[0]:#04x}")
        if len(raw) >= 2 and raw[1] != 3:
            raise Malformed(f"no TLS record has version {raw[1]}")
        if len(raw) < 5:
            return None
        length = raw[3] << 8 | raw[4]
        if length > RECORD_MAX:
            raise Malformed(f"a record of {length} bytes")
        if len(raw) < 5 + length:
            return None
        record = bytes(raw[:5]), bytes(raw[5 : 5 + length])
        del raw[: 5 + length]
        return record

    def _open(self, header: bytes, content: bytes) -> Sequence[Item | ChangeCipherSpec]:
        kind = header[0]
        if not content or kind == _CHANGE_CIPHER_SPEC:
            self._count_trifle()
            return [ChangeCipherSpec()] if content else []
        if kind == _ALERT:
            return self._alerts(content)
        if kind == _HANDSHAKE:
            return self._messages(content)
        return [Encrypted(header + content)]

    def _alerts(self, content: bytes) -> list[Item]:
        self._alert += content
        items: list[Item] = []
        while len(self._alert) >= 2:
            level, description = self._alert[0], self._alert[1]
            del self._alert[:2]
            if level == _WARNING and description != _CLOSE_NOTIFY:
                self._count_trifle()
                self.warnings.append(description)
            elif level in {_WARNING, _FATAL}:
                items.append(FatalAlert(description))
            else:
                raise Malformed(f"an alert of level {level}")
        return items

    def _messages(self, content: bytes) -> list[Item]:
        self._handshake += content
        items: list[Item] = []
        while len(self._handshake) >= 4:
            length = int.from_bytes(self._handshake[1:4], "big")
            if length > self.message_max:
                raise Malformed(f"a handshake message of {length} bytes")
            if len(self._handshake) < 4 + length:
                break
            items.append(Message(self._handshake[0], bytes(self._handshake[4 : 4 + length])))
            del self._handshake[: 4 + length]
        return items

    def _count_trifle(self) -> None:
        self._trifles += 1
        if self._trifles > TRIFLES_MAX:
            raise Malformed("a flood of warnings or empty records")
