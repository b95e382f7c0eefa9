"""What our own full scan says of a server, in the words of tests.peers.facts."""

from __future__ import annotations

import time

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.relay import Relay
from tests.fakes.scan_requests import full_request
from tests.peers.facts import SNI, Account, Words, accepted, in_order, word
from vigilo.events.hosts import Protocol
from vigilo.events.posture import GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.events.scans import Outcome, Snapshot

NAME = "vigilo"


async def scan(port: int, protocol: Protocol | None, tools: Tools) -> tuple[Account, Snapshot]:
    """A full scan through a counting relay. `protocol` None = TLS from the first byte."""
    with Relay(port) as relay:
        begun = time.monotonic()
        request = full_request("127.0.0.1", relay.port, sni=SNI, protocol=protocol or Protocol.TLS)
        snapshot = await scan_target(request, tools)
        seconds = time.monotonic() - begun
        await tools.close()
        assert snapshot.outcome is Outcome.OK, (snapshot.outcome, snapshot.detail)
        facts = {} if snapshot.posture is None else facts_of(snapshot.posture)
        facts["reached"] = word("yes")
        return Account(NAME, facts, relay.accepted, seconds), snapshot


def facts_of(posture: Posture) -> dict[str, Words]:
    """The facts of a posture; those that are unknown say nothing."""
    facts: dict[str, Words] = {}
    for version in posture.versions:
        facts |= _version_facts(version)
    if posture.dh_bits is not None:
        facts["DH bits"] = word(posture.dh_bits)
    known = [one.version for one in posture.versions if one.support is Support.ACCEPTED and one.version < "TLSv1.3"]
    if posture.groups is not None:
        facts["TLSv1.3 groups"] = _names(posture.groups)
    if known and posture.groups_tls12 is not None:
        facts[f"{max(known)} groups"] = _names(posture.groups_tls12)
    sides = {
        "compression": posture.compression,
        "secure renegotiation": posture.secure_renegotiation,
        "fallback SCSV": posture.fallback_scsv,
        "extended master secret": posture.extended_master_secret,
    }
    return facts | {name: word(support) for name, support in sides.items() if support is not Support.UNKNOWN}


def _version_facts(found: VersionPosture) -> dict[str, Words]:
    if found.support is Support.UNKNOWN:
        return {found.version: word("unknown")}
    facts = {found.version: accepted(found.support is Support.ACCEPTED)}
    if found.support is Support.ACCEPTED and found.version != "SSLv2":
        facts[f"{found.version} suites"] = frozenset(found.suites) if found.complete else word("not all known")
        if found.order is not None:
            facts[f"{found.version} decides"] = word(found.order)
        if found.order is SuiteOrder.SERVER:
            facts[f"{found.version} order"] = in_order(found.suites)
    return facts


def _names(groups: GroupsPosture) -> Words:
    return frozenset(groups.groups) if groups.complete else word("not all known")
