"""What sslscan 2 says of a server: the program of the distribution, unpacked, not installed."""

from __future__ import annotations

import re
import subprocess
import time
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

from tests.fakes.distribution import unpacked
from tests.fakes.relay import Relay
from tests.peers.facts import SNI, Account, Words, accepted, in_order, word
from vigilo.events.hosts import Protocol
from vigilo.tls.wire.code_points import group_name
from vigilo.tls.wire.suite_names import suite_name

NAME = "sslscan"
_SCAN_SECONDS = 120
_STARTTLS = {
    Protocol.SMTP: "smtp",
    Protocol.IMAP: "imap",
    Protocol.POP3: "pop3",
    Protocol.LDAP: "ldap",
    Protocol.XMPP: "xmpp",
    Protocol.POSTGRESQL: "psql",
    Protocol.MYSQL: "mysql",
}


def scan(port: int, protocol: Protocol | None, folder: Path) -> Account:
    """What is comparable, and nothing else, through a counting relay."""
    report = folder / "sslscan.xml"
    dialogue = [f"--starttls-{_STARTTLS[protocol]}"] if protocol is not None else []
    program = unpacked("sslscan") / "usr" / "bin" / "sslscan"
    with Relay(port) as relay:
        command = [str(program), "--no-heartbleed", "--no-check-certificate", f"--sni-name={SNI}", *dialogue]
        begun = time.monotonic()
        done = subprocess.run(
            [*command, f"--xml={report}", f"127.0.0.1:{relay.port}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SCAN_SECONDS,
        )
        seconds = time.monotonic() - begun
        assert report.exists(), done.stdout + done.stderr
        return Account(NAME, parse(report.read_text(errors="replace")), relay.accepted, seconds)


def parse(report: str) -> dict[str, Words]:
    """The facts of an XML report. Elements that are not there say nothing."""
    document = ElementTree.fromstring(report)
    server = document.find("ssltest")
    if server is None:
        # What it cannot talk its way to is a fact, too: nothing is passed over in silence.
        return {"reached": word(re.sub(r"127\.0\.0\.1:\d+", "the server", document.findtext("error", "no result")))}
    facts = {"reached": word("yes")}
    for one in server.iter("protocol"):
        name = f"{one.get('type', '').upper()}v{one.get('version')}"
        facts[name] = accepted(one.get("enabled") == "1")
    for version, ciphers in groupby(server.iter("cipher"), key=lambda one: one.get("sslversion", "")):
        names = [suite_name(int(one.get("id", "0"), 16)) for one in ciphers]
        facts |= {f"{version} suites": frozenset(names), f"{version} order": in_order(names)}
    for version, groups in groupby(server.iter("group"), key=lambda one: one.get("sslversion", "")):
        facts[f"{version} groups"] = frozenset(group_name(int(one.get("id", "0"), 16)) for one in groups)
    sizes = [int(one.get("dhebits", "0")) for one in server.iter("cipher") if one.get("sslversion") != "TLSv1.3"]
    if any(sizes):
        facts["DH bits"] = word(min(size for size in sizes if size))
    return facts | _sides(server)


def _sides(server: ElementTree.Element) -> dict[str, Words]:
    sides = {
        "compression": ("compression", "supported"),
        "secure renegotiation": ("renegotiation", "secure"),
        "fallback SCSV": ("fallback", "supported"),
    }
    found = {fact: (server.find(name), key) for fact, (name, key) in sides.items()}
    return {fact: accepted(one.get(key) == "1") for fact, (one, key) in found.items() if one is not None}
