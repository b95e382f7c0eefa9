"""Replies of three digits, one line or many, as SMTP and FTP write them (RFC 5321 section 4.2, RFC 959 section 4.2)."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from vigilo.tls.starttls.dialogue import Declined, Peer, Why, quoted

_FIRST = re.compile(rb"([1-5][0-9]{2})([ -]|$)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `lines` are without code and end, the last one last."""

    code: str
    lines: tuple[bytes, ...]

    @property
    def words(self) -> str:
        """For a reason: code and last line."""
        return f"{self.code} {quoted(self.lines[-1])}".rstrip()


def read_reply(peer: Peer, protocol: str) -> Generator[None, bytes, Reply]:
    """The next reply: it ends with the first line that has the code and no hyphen; lines between may lack the code.

    Raises Declined (stranger) when the first line is no reply.
    """
    line = yield from peer.line()
    match = _FIRST.fullmatch(line)
    if match is None:
        raise Declined(f"not {protocol}: the server sent {quoted(line)!r}", why=Why.STRANGER)
    code, lines = match[1], [match[3]]
    going_on = match[2] == b"-"
    while going_on:
        line = yield from peer.line()
        same_code = line[:3] == code
        going_on = not (same_code and line[3:4] in {b" ", b""})
        lines.append(line[4:] if same_code else line)
    return Reply(code.decode("ascii"), tuple(lines))
