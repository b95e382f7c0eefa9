"""Reads big-endian numbers and vectors (RFC 8446 section 3). Pure."""

from __future__ import annotations

import struct


class Malformed(ValueError):
    """The bytes are no TLS of the expected shape."""


class Reader:
    """A position in some bytes; every step raises Malformed where the bytes end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next so many bytes."""
        end = self._at + count
        if end > len(self._data):
            raise Malformed(f"{count} bytes expected, {self.left} there")
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, octets: int) -> int:
        """An unsigned number of so many octets."""
        return int.from_bytes(self.take(octets), "big")

    def vector(self, octets: int) -> bytes:
        """A vector whose length is written in so many octets."""
        return self.take(self.number(octets))


def vector(octets: int, content: bytes) -> bytes:
    """`content` with its length in so many octets before it. Raises OverflowError if it is too long for that."""
    return len(content).to_bytes(octets, "big") + content


def numbers(values: tuple[int, ...], octets: int = 2) -> bytes:
    """Numbers of so many octets one after the other."""
    if octets == 2:  # nearly always, and a hello has hundreds of them
        return struct.pack(f">{len(values)}H", *values)
    return b"".join(value.to_bytes(octets, "big") for value in values)
