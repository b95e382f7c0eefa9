"""The little of DER (X.690) that is needed where a parser hides bytes: serials, keys of unknown kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE = 0x30
INTEGER = 0x02
BIT_STRING = 0x03
OBJECT_IDENTIFIER = 0x06
CONTEXT_0 = 0xA0


class NotDer(ValueError):
    """The bytes are no DER of the expected shape."""


@dataclass(frozen=True, slots=True)
class Element:
    """One tag-length-value; `whole` includes tag and length."""

    tag: int
    content: bytes
    whole: bytes


def elements(data: bytes) -> Iterator[Element]:
    """The elements that follow each other in `data`. Raises NotDer at the first that is broken."""
    offset = 0
    while offset < len(data):
        element = _element(data, offset)
        yield element
        offset += len(element.whole)


def only(data: bytes, tag: int) -> Element:
    """The first element of `data`, which must have that tag. Raises NotDer."""
    element = _element(data, 0)
    if element.tag != tag:
        raise NotDer(f"tag {element.tag:#x} where {tag:#x} was expected")
    return element


def _element(data: bytes, start: int) -> Element:
    if start + 2 > len(data):
        raise NotDer("cut short")
    length, begin = data[start + 1], start + 2
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or begin + octets > len(data):
            raise NotDer("bad length")
        length, begin = int.from_bytes(data[begin : begin + octets], "big"), begin + octets
    if begin + length > len(data):
        raise NotDer("cut short")
    return Element(data[start], data[begin : begin + length], data[start : begin + length])


def dotted(oid: bytes) -> str:
    """The dotted text of an OBJECT IDENTIFIER's content octets. Raises NotDer."""
    if not oid or oid[-1] & 0x80 or len(oid) > 64:
        raise NotDer("bad object identifier")
    arcs: list[int] = []
    arc = 0
    for octet in oid:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    top = min(arcs[0] // 40, 2)
    return ".".join(str(one) for one in (top, arcs[0] - 40 * top, *arcs[1:]))
