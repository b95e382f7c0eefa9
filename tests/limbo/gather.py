"""Writes the vector files from what the two suites' own generators make. See PROVENANCE.md for how those are run.

python -m tests.limbo.gather limbo limbo.json
python -m tests.limbo.gather bettertls bettertls.json
"""

from __future__ import annotations

import base64
import json
import lzma
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

HERE = Path(__file__).parent
# For the cases whose generator leaves the time open: inside the validity of all their certificates.
OPEN_TIME = "2026-03-01T00:00:00+00:00"
# One case in this many of BetterTLS's name constraints: the whole suite has 9,491, many alike.
SAMPLE = 20


class Pool:
    """Certificates, each kept once and named by its place."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}

    def add(self, der: bytes) -> int:
        """The place of this certificate."""
        return self.places.setdefault(der, len(self.places))

    def add_pem(self, pem: str) -> int:
        """The same, given in PEM."""
        return self.add(x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER))


def limbo(raw: dict[str, Any], pool: Pool) -> Iterator[dict[str, Any]]:
    """The cases of a limbo.json, of all kinds; private keys and CRLs are left out."""
    for case in raw["testcases"]:
        if case["id"].startswith("bettertls::"):
            continue
        name = case["expected_peer_name"]
        yield {
            "id": case["id"],
            "kind": case["validation_kind"],
            "features": case["features"],
            "trusted": [pool.add_pem(pem) for pem in case["trusted_certs"]],
            "untrusted": [pool.add_pem(pem) for pem in case["untrusted_intermediates"]],
            "leaf": pool.add_pem(case["peer_certificate"]),
            "name": name and name["value"],
            "at": case["validation_time"] or OPEN_TIME,
            "valid": case["expected_result"] == "SUCCESS",
        }


def bettertls(raw: dict[str, Any], pool: Pool) -> Iterator[dict[str, Any]]:
    """All of BetterTLS's path building, a sample of its name constraints. Times as x509-limbo chooses them."""
    root = pool.add(base64.b64decode(raw["trustRoot"]))
    for suite, step in (("pathbuilding", 1), ("nameconstraints", SAMPLE)):
        for case in raw["suites"][suite]["testCases"][::step]:
            ders = [base64.b64decode(one) for one in case["certificates"]]
            leaf, *others = (pool.add(der) for der in ders)
            valid = case["expected"] == "ACCEPT"
            yield {
                "id": f"bettertls::{suite}::tc{case['id']}",
                "kind": "SERVER",
                "features": [],
                "trusted": [root],
                "untrusted": [other for other in others if other != root],
                "leaf": leaf,
                "name": _plain(case["hostname"]),
                "at": _time(ders[0], expired=not valid and "INVALID_REASON_EXPIRED" in case["requiredFeatures"]),
                "valid": valid,
            }


def _plain(hostname: str) -> str:
    try:
        return str(ip_address(hostname))
    except ValueError:
        return hostname


def _time(leaf: bytes, *, expired: bool) -> str:
    certificate = x509.load_der_x509_certificate(leaf)
    moment = certificate.not_valid_after_utc if expired else certificate.not_valid_before_utc
    return (moment + timedelta(seconds=1)).astimezone(UTC).isoformat()


def write(suite: str, source: Path) -> Path:
    """Writes `suite`.json.xz beside this file and returns its path."""
    pool = Pool()
    cases = list({"limbo": limbo, "bettertls": bettertls}[suite](json.loads(source.read_text()), pool))
    for case in cases:
        datetime.fromisoformat(case["at"])
    whole = {"certificates": [base64.b64encode(der).decode() for der in pool.places], "cases": cases}
    target = HERE / f"{suite}.json.xz"
    target.write_bytes(lzma.compress(json.dumps(whole).encode(), preset=9 | lzma.PRESET_EXTREME))
    return target


if __name__ == "__main__":
    print(write(sys.argv[1], Path(sys.argv[2])))
