"""Everything a peer may do to a scanner, by name: what it does, how a light scan of it must end, and what saves us.

`python -m tests.fakes.hostile_peers` writes the table of docs/guides/hostile-peers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.fakes.hostile_scripts import (
    AGAIN,
    ALERT,
    ANY,
    CAPS,
    CLOSED,
    DEADLINE,
    EXTENSIONS,
    FAILURE,
    HELLO,
    KNOWN,
    LEFT,
    LISTED,
    LONG_HELLO,
    OFFERED,
    RESET,
    SSL2,
    SSL3,
    STRANGE,
    STRICT,
    TIMEOUT,
    TLS12,
    TLS13,
    TO_CERTIFICATE,
    TO_DONE,
    TRIFLES,
    TWICE,
    WORDS,
    Peer,
    banning,
    entered,
    far_away,
    long_chain,
    many_names,
    retry,
    scripted,
    tls,
)
from tests.fakes.hostile_server import Hear, Leave, Reply, Say, Wait, alert, black_hole
from tests.fakes.tls_bytes import hello_record, message, record, server_hello, ssl2_hello
from vigilo.events.scans import Outcome

GUIDE = Path("docs/guides/hostile-peers.md")
MARK = "<!-- the table is written by python -m tests.fakes.hostile_peers -->"

PEERS: Sequence[Peer] = (
    Peer("never answers the connect", entered(black_hole), (Outcome.CONNECT_TIMEOUT,), "3 seconds for a connect"),
    Peer("accepts and is silent", scripted(Wait()), TIMEOUT, DEADLINE),
    Peer("is silent after the hello", scripted(Hear(), Wait()), TIMEOUT, DEADLINE),
    Peer("leaves at once", scripted(Leave()), CLOSED, LEFT),
    Peer("resets at once", scripted(Leave("rst")), RESET, LEFT),
    Peer("leaves after the hello", scripted(Hear(), Leave()), CLOSED, LEFT),
    Peer("resets after the hello", scripted(Hear(), Leave("rst")), RESET, LEFT),
    Peer("leaves within its hello", scripted(Hear(), Say(HELLO[:20]), Leave()), CLOSED, LEFT),
    Peer("resets within its hello", scripted(Hear(), Say(HELLO[:20]), Wait(0.2), Leave("rst")), RESET, LEFT),
    Peer("is silent within its hello", scripted(Hear(), Say(HELLO[:20]), Wait()), TIMEOUT, DEADLINE),
    Peer(
        "resets after its certificate",
        scripted(Hear(), Say(TO_CERTIFICATE), Wait(0.2), Leave("rst")),
        (Outcome.OK,),
        KNOWN,
        accepts=TLS12,
    ),
    Peer("is silent after its certificate", scripted(Hear(), Say(TO_CERTIFICATE), Wait()), (Outcome.OK,), KNOWN, TLS12),
    Peer(
        "signs nothing and says it is done",
        scripted(Hear(), Say(TO_DONE), Wait()),
        (Outcome.OK,),
        KNOWN,
        accepts=TLS12,
    ),
    Peer("drips a byte now and then", scripted(Hear(), Say(LONG_HELLO, every=0.05)), TIMEOUT, DEADLINE),
    Peer("drips whole warnings", scripted(Hear(), Say(alert(112, level=1), every=0.02)), FAILURE, TRIFLES),
    Peer("is a tarpit three seconds away", far_away, TIMEOUT, DEADLINE),
    Peer("sends garbage", scripted(Hear(), Say(bytes(range(256)) * 16), Leave()), STRANGE, WORDS),
    Peer("sends garbage in a record", scripted(Hear(), Say(record(22, b"\xff" * 300)), Wait()), FAILURE, STRICT),
    Peer("echoes our hello", scripted(Hear(100), Reply(bytes), Wait()), FAILURE, STRICT),
    Peer("speaks HTTP", scripted(Hear(), Say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Leave()), STRANGE, WORDS),
    Peer("speaks SSH", scripted(Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Wait()), STRANGE, WORDS),
    Peer(
        "greets without end",
        scripted(Say(b"220-hello\r\n" * 20_000), Wait()),
        STRANGE,
        "64 KiB for a dialogue",
        flood=True,
    ),
    Peer(
        "greets in one endless line",
        scripted(Say(b"220 " + b"x" * 300_000), Wait()),
        STRANGE,
        "64 KiB for a dialogue",
        flood=True,
    ),
    Peer("draws on our terminal", scripted(Say(b"\x1b[2J\xe2\x80\xae\x00evil\r\n"), Wait()), STRANGE, WORDS),
    Peer(
        "warns without end", scripted(Hear(), Say(alert(112, level=1) * 20_000), Wait()), FAILURE, TRIFLES, flood=True
    ),
    Peer(
        "sends empty records without end",
        scripted(Hear(), Say(record(22, b"") * 50_000), Wait()),
        FAILURE,
        TRIFLES,
        flood=True,
    ),
    Peer(
        "changes ciphers without end",
        scripted(Hear(), Say(record(20, b"\x01") * 50_000), Wait()),
        FAILURE,
        TRIFLES,
        flood=True,
    ),
    Peer(
        "requests hellos without end",
        scripted(Hear(), Say(record(22, bytes(0x4000)) * 200), Wait()),
        FAILURE,
        CAPS,
        flood=True,
    ),
    Peer(
        "announces a message of 16 MiB",
        scripted(Hear(), Say(record(22, b"\x02\xff\xff\xff") + record(22, bytes(16_000)) * 200), Wait()),
        FAILURE,
        CAPS,
        flood=True,
    ),
    Peer(
        "sends a record of 64 KiB",
        scripted(Hear(), Say(b"\x16\x03\x03\xff\xff" + bytes(65_535)), Wait()),
        FAILURE,
        CAPS,
        flood=True,
    ),
    Peer(
        "sends its hello in records of a byte",
        scripted(Hear(), Say(b"".join(record(22, bytes((byte,))) for byte in HELLO[5:])), Wait()),
        TIMEOUT,
        "messages are put together across records",
        accepts=TLS12,
    ),
    Peer(
        "sends half a message and then another",
        scripted(Hear(), Say(record(22, HELLO[5:30]) + alert(40)), Leave()),
        ALERT,
        LEFT,
        refuses=True,
    ),
    Peer(
        "splits an alert over two records",
        scripted(Hear(), Say(record(21, b"\x02") + record(21, b"\x28")), Leave()),
        FAILURE,
        "alerts are put together across records",
        refuses=True,
    ),
    Peer("sends an alert nobody registered", scripted(Hear(), Say(alert(200)), Leave()), ALERT, LEFT, refuses=True),
    Peer("sends an alert of an unknown level", scripted(Hear(), Say(record(21, b"\x07\x28")), Wait()), FAILURE, STRICT),
    Peer("says goodbye and stays", scripted(Hear(), Say(alert(0, level=1)), Wait()), FAILURE, LEFT, refuses=True),
    Peer(
        "chooses a version never offered",
        scripted(Hear(), Say(hello_record(0x0305, 0xC02F)), Wait()),
        FAILURE,
        OFFERED,
    ),
    Peer(
        "chooses SSL 3",
        scripted(Hear(), Say(hello_record(0x0300, 0x000A)), Wait()),
        FAILURE,
        OFFERED,
        SSL3,
        refuses=True,
    ),
    Peer(
        "answers everything in SSL 2",
        scripted(Hear(), Say(ssl2_hello((0x0700C0,))), Wait()),
        STRANGE,
        OFFERED,
        accepts=SSL2,
    ),
    Peer(
        "chooses a suite never offered", scripted(Hear(), Say(hello_record(0x0303, 0xFFFD)), Wait()), FAILURE, OFFERED
    ),
    Peer(
        "chooses the same suite for ever",
        scripted(Hear(), Say(HELLO), Wait()),
        TIMEOUT,
        AGAIN,
        accepts=TLS12,
    ),
    Peer(
        "compresses unasked",
        scripted(Hear(), Say(hello_record(0x0303, 0xC02F, compression=77)), Wait()),
        FAILURE,
        OFFERED,
    ),
    Peer("repeats an extension", scripted(Hear(), Say(record(22, message(2, TWICE))), Wait()), FAILURE, STRICT),
    Peer(
        "sends five hundred extensions",
        scripted(Hear(), Say(record(22, message(2, server_hello(0x0303, 0xC02F, extensions=EXTENSIONS)))), Wait()),
        TIMEOUT,
        CAPS,
    ),
    Peer("retries without end", scripted(Hear(), Reply(retry(24, 500)), Wait()), FAILURE, AGAIN, TLS13, True),
    Peer(
        "retries with a group never offered",
        scripted(Hear(), Reply(retry(0x7777)), Wait()),
        FAILURE,
        OFFERED,
    ),
    Peer("retries and falls silent", scripted(Hear(), Reply(retry(24)), Wait()), TIMEOUT, DEADLINE, TLS13),
    Peer(
        "sends application data first",
        scripted(Hear(), Say(record(23, bytes(16_000)) * 100), Wait()),
        FAILURE,
        STRICT,
        flood=True,
    ),
    Peer(
        "sends a certificate first",
        scripted(Hear(), Say(record(22, message(11, bytes(600)))), Wait()),
        FAILURE,
        STRICT,
    ),
    Peer(
        "sends a certificate list that lies about its length",
        scripted(Hear(), Say(HELLO + record(22, message(11, b"\x00\xff\xff" + LISTED))), Wait()),
        FAILURE,
        STRICT,
        accepts=TLS12,
    ),
    Peer(
        "sends no certificate at all",
        scripted(Hear(), Say(HELLO + record(22, message(11, bytes(3)))), Wait()),
        FAILURE,
        STRICT,
        accepts=TLS12,
    ),
    Peer(
        "has a certificate of 10,000 names",
        tls(lambda: many_names(10_000)),
        FAILURE,
        "128 KiB for a certificate; of a smaller one a snapshot holds 100 names and their count",
        accepts=ANY,
        refuses=True,
    ),
    Peer(
        "has a chain of 100 certificates",
        tls(lambda: long_chain(100)),
        (Outcome.OK,),
        "a snapshot holds 32 certificates and their count, and no bytes of a chain beyond 256 KiB",
        accepts=ANY,
        refuses=True,
    ),
    Peer(
        "bans after the first connection",
        banning,
        (Outcome.OK,),
        "a closing probe: who no longer takes what it took is throttled, and refuses nothing",
        accepts=ANY,
    ),
)


def table() -> str:
    """The guide's table."""
    rows = [
        f"| {peer.name} | {' or '.join(f'`{one}`' for one in peer.ends)} | {peer.defence} |"
        for peer in sorted(PEERS, key=lambda peer: peer.name)
    ]
    return "\n".join(("| the peer ... | a light scan ends | what saves us |", "|---|---|---|", *rows))


def written(guide: str) -> str:
    """The guide with its table renewed."""
    return guide.partition(MARK)[0] + MARK + "\n\n" + table() + "\n"


if __name__ == "__main__":
    GUIDE.write_text(written(GUIDE.read_text()))
