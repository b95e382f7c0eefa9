"""Probes for known holes, sent to one port."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

from services.scanner.connect import connect
from services.scanner.tools import Tools
from services.scanner.vulnerabilities import Examination, Probes
from vigilo.events.posture import Exposure, Posture, Support, VersionPosture

HEARTBLEED, CCS, TICKETBLEED, ROBOT = "heartbleed", "ccs-injection", "ticketbleed", "robot"


NONE = Probes(heartbleed=False, ccs=False, ticketbleed=False, robot=False)


STATIC = "TLS_RSA_WITH_AES_128_CBC_SHA"


MODERN = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384"
)


ECDHE = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"


def posture(*suites: str, tickets: Support = Support.REJECTED, **more: Any) -> Posture:
    refused = [
        VersionPosture(version=one, support=Support.REJECTED, complete=True)
        for one in ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1")
    ]
    accepted = Support.ACCEPTED if suites else Support.REJECTED
    newest = VersionPosture(version="TLSv1.2", support=accepted, suites=suites, complete=True)
    return Posture(versions=(*refused, newest), session_tickets=tickets, connections=30, **more)


async def examine(
    port: int, tools: Tools, probes: Probes, *, known: Posture | None = None, seconds: float = 10.0
) -> Posture:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds

    async def open_connection() -> socket.socket:
        tools.count_connection()
        return await connect(ip_address("127.0.0.1"), port, deadline=deadline)

    examination = Examination(
        posture=posture(STATIC) if known is None else known,
        probes=probes,
        open=open_connection,
        part_from=tools.part_from,
        sni="a.test",
        deadline=deadline,
        probe_seconds=1.0,
        quiet_seconds=0.4,
    )
    async with asyncio.timeout(seconds + 2):
        return await examination.run()


def exposure(found: Posture, name: str) -> tuple[Exposure, str]:
    one = next(one for one in found.vulnerabilities if one.name == name)
    return one.exposure, one.evidence
