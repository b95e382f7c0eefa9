"""Whose order of suites counts, by the word of `openssl s_client`: neither sslyze nor sslscan says so.

The suites that our scan found are offered twice, the second time backwards; a server that has an order of its own
chooses the same one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache

import pytest

from tests.fakes.relay import Relay
from tests.peers.facts import SNI, Account, Words, word
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Posture
from vigilo.tls.wire.suite_names import suite_name

NAME = "s_client"
_SECONDS = 20
_FLAGS = {"TLSv1.0": "-tls1", "TLSv1.1": "-tls1_1", "TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}
_STARTTLS = {Protocol.POSTGRESQL: "postgres"}


def ask(port: int, protocol: Protocol | None, posture: Posture) -> Account:
    """The fact `<version> decides` for each version of which OpenSSL knows two suites or more."""
    facts: dict[str, Words] = {}
    begun = time.monotonic()
    with Relay(port) as relay:
        for found in posture.versions:
            names = [known for suite in found.suites if (known := _names().get(suite)) and "CHACHA" not in known]
            if found.version in _FLAGS and len(names) > 1:
                picks = [_pick(relay.port, protocol, found.version, order) for order in (names, names[::-1])]
                if all(picks):
                    facts[f"{found.version} decides"] = word("server" if picks[0] == picks[1] else "client")
        return Account(NAME, facts, relay.accepted, time.monotonic() - begun)


def _pick(port: int, protocol: Protocol | None, version: str, names: Sequence[str]) -> str | None:
    """What the server chose; None where it went no further than asking for a client certificate."""
    listed = (
        ["-ciphersuites", ":".join(names)] if version == "TLSv1.3" else ["-cipher", f"{':'.join(names)}:@SECLEVEL=0"]
    )
    dialogue = ["-starttls", _STARTTLS.get(protocol, protocol.value)] if protocol is not None else []
    dialogue += ["-xmpphost", SNI] if protocol is Protocol.XMPP else []
    command = [_openssl(), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", SNI, _FLAGS[version], *listed]
    done = subprocess.run(
        [*command, *dialogue], input="", capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    chosen = re.search(r"Cipher is ([A-Z0-9_-]+)$", done.stdout, re.MULTILINE)
    assert chosen or "alert certificate required" in done.stderr or "alert handshake failure" in done.stderr, (
        done.stderr
    )
    return chosen[1] if chosen else None


@cache
def _names() -> Mapping[str, str]:
    """OpenSSL's name of each suite by the registry's."""
    every = ":".join(suite_name(code) for code in range(0x1301, 0x1306))  # CCM is offered only when named
    command = [_openssl(), "ciphers", "-stdname", "-ciphersuites", every, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS).stdout.splitlines()
    return {words[0]: words[2] for line in lines if len(words := line.split()) > 2}


def _openssl() -> str:
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("no openssl command here")
    return found
