"""A scripted DNS server on a loopback UDP port."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered for one name. `delay` in seconds; per type in `delays` (`A`, `AAAA`); `silent` types never."""

    a: Sequence[str] = ()
    aaaa: Sequence[str] = ()
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    delay: float = 0.0
    delays: Mapping[str, float] = field(default_factory=dict)
    silent: Sequence[str] = ()


NXDOMAIN = Answer(rcode=dns.rcode.NXDOMAIN)


@dataclass(slots=True)
class DnsServer:
    """Answers from `names`; unlisted names do not exist. Use as a context manager; `names` may be changed."""

    names: Mapping[str, Answer]
    port: int = 0
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _socket: socket.socket | None = None

    def __enter__(self) -> DnsServer:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, args=(self._socket,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    @property
    def address(self) -> tuple[str, int]:
        """As DnsResolver takes it."""
        return ("127.0.0.1", self.port)

    def _listen(self, server: socket.socket) -> None:
        while True:
            try:
                data, peer = server.recvfrom(4096)
            except OSError:
                return
            if data:
                threading.Thread(target=self._answer, args=(server, data, peer), daemon=True).start()

    def _answer(self, server: socket.socket, data: bytes, peer: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        answer = self.names.get(name, NXDOMAIN)
        if kind in answer.silent:
            return
        time.sleep(answer.delays.get(kind, answer.delay))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        response.set_rcode(answer.rcode)
        addresses = {"A": answer.a, "AAAA": answer.aaaa}.get(kind, ())
        if addresses and answer.rcode == dns.rcode.NOERROR:
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, list(addresses)))
        with contextlib.suppress(OSError):
            server.sendto(response.to_wire(), peer)
