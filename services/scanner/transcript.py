"""What a server has sent on one connection, and the secrets to read it: kept raw, read only when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass, field

from vigilo.tls.wire.reading import Malformed
from vigilo.tls.wire.records import Message, Records
from vigilo.tls.wire.server_flight import FLIGHT_MAX, ServerFlight
from vigilo.tls.wire.server_hello import SERVER_HELLO, parse_server_hello

_HELLO_MAX = 16 * 1024
_SECRETS_MAX = 16


@dataclass(slots=True)
class Transcript:
    """The server's bytes from its first on, one MiB at most, and our side's traffic secrets by their key log names."""

    received: bytearray = field(default_factory=bytearray)
    secrets: dict[str, bytes] = field(default_factory=dict)

    def note(self, data: bytes) -> None:
        """More bytes of the server; what exceeds the bound is not kept."""
        self.received += data[: max(0, FLIGHT_MAX - len(self.received))]

    def note_secret(self, line: bytes) -> None:
        """A line of the TLS library's key log (draft-ietf-tls-keylogfile): label, client random, secret, in hex."""
        words = line.split()
        if len(words) == 3 and len(self.secrets) < _SECRETS_MAX:
            self.secrets[words[0].decode("ascii")] = bytes.fromhex(words[2].decode("ascii"))

    def flight(self) -> ServerFlight:
        """Everything so far, read from the beginning; whoever goes on listening feeds it the rest."""
        flight = ServerFlight(secrets=self.secrets)
        flight.feed(bytes(self.received))
        return flight

    def hello_extensions(self) -> tuple[int, ...]:
        """Types of the extensions of the (first) ServerHello, in its order; none if it is unreadable."""
        try:
            for item in Records().each(bytes(self.received[:_HELLO_MAX])):
                if isinstance(item, Message) and item.kind == SERVER_HELLO:
                    return tuple(parse_server_hello(item.body).extensions)
        except Malformed:
            pass
        return ()
