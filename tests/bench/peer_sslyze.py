"""Scans with sslyze's library, in steady state: run by sslyze's own interpreter, never imported by anything of ours.

Reads how many scans to make, one number a line; writes a line of JSON for each: seconds by the clock and of CPU,
peak memory in MiB. Sequential, as is what it is compared with; within a scan sslyze has its usual five threads.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from sslyze import (  # type: ignore[import-not-found,unused-ignore]
    ScanCommand,
    Scanner,
    ServerNetworkLocation,
    ServerScanRequest,
)

# What a full scan of ours finds out, too; of Ticketbleed sslyze does not ask.
SCOPE = {
    ScanCommand.CERTIFICATE_INFO,
    ScanCommand.SSL_2_0_CIPHER_SUITES,
    ScanCommand.SSL_3_0_CIPHER_SUITES,
    ScanCommand.TLS_1_0_CIPHER_SUITES,
    ScanCommand.TLS_1_1_CIPHER_SUITES,
    ScanCommand.TLS_1_2_CIPHER_SUITES,
    ScanCommand.TLS_1_3_CIPHER_SUITES,
    ScanCommand.ELLIPTIC_CURVES,
    ScanCommand.TLS_COMPRESSION,
    ScanCommand.SESSION_RENEGOTIATION,
    ScanCommand.TLS_FALLBACK_SCSV,
    ScanCommand.TLS_EXTENDED_MASTER_SECRET,
    ScanCommand.HTTP_HEADERS,
    ScanCommand.SESSION_RESUMPTION,
    ScanCommand.HEARTBLEED,
    ScanCommand.OPENSSL_CCS_INJECTION,
    ScanCommand.ROBOT,
}


def scan(name: str, address: str, port: int) -> None:
    """One scan. Raises ValueError when it was not whole."""
    scanner = Scanner()
    location = ServerNetworkLocation(name, port, ip_address=address)
    scanner.queue_scans([ServerScanRequest(location, scan_commands=SCOPE)])
    for result in scanner.get_results():
        if result.scan_result is None:
            raise ValueError(f"{result.scan_status}: {result.connectivity_error_trace}")
        found = result.scan_result.tls_1_2_cipher_suites.result
        if found is None or not found.accepted_cipher_suites:
            raise ValueError("no suites found")


def main() -> None:
    """Until standard input ends."""
    name, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(line)):
            scan(name, address, port)
        took = {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - cpu,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main()
