"""Our full scans in steady state, in a process of their own: what peer_sslyze.py does, done by us.

Each scan ends with its snapshot as JSON. Reads how many scans to make, one number a line; answers in JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
import warnings

from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.scan_requests import full_request
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.codec import encode_value
from vigilo.events.posture import Support


async def scan(name: str, address: str, port: int, tools: Tools) -> None:
    """One scan. Raises ValueError when it was not whole."""
    snapshot = await scan_target(full_request(name, port, address=address), tools)
    encode_value(snapshot)
    posture = snapshot.posture
    if posture is None or not all(one.complete for one in posture.versions):
        raise ValueError(f"not whole: {snapshot.outcome} {snapshot.detail}")
    if "TLSv1.2" not in posture.supporting(Support.ACCEPTED):
        raise ValueError("no suites found")


async def scans(count: int, name: str, address: str, port: int) -> dict[str, float]:
    """So many, one after another, and what they cost."""
    resolver = SystemResolver(threads=1)
    tools = Tools(resolver=resolver, egress=ScanEgress(parse_networks(["127.0.0.0/8"])), name="bench")
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        await scan(name, address, port, tools)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await tools.close()
    resolver.close()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"wall": wall, "cpu": cpu, "rss": rss, "connections": tools.connections / max(count, 1)}


def main() -> None:
    """Until standard input ends."""
    warnings.simplefilter("ignore")
    name, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    for line in sys.stdin:
        print(json.dumps(asyncio.run(scans(int(line), name, address, port))), flush=True)


if __name__ == "__main__":
    main()
