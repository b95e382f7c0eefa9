"""The cases of x509-limbo and BetterTLS, as kept here. Where they are from: PROVENANCE.md."""

from __future__ import annotations

import base64
import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SUITES = ("limbo", "bettertls")

# What this project does not do, by the suite's own marks: https://x509-limbo.com
OUT_OF_SCOPE = {
    "has-crl": "revocation lists are not fetched",
    "max-chain-depth": "the depth of paths is fixed, not a setting",
}
CLIENT = "certificates of clients are not judged"


@dataclass(frozen=True)
class Case:
    """One case: DER certificates, the name asked for (None = none), the instant, and whether a client should accept."""

    id: str
    trusted: tuple[bytes, ...]
    untrusted: tuple[bytes, ...]
    leaf: bytes
    name: str | None
    at: datetime
    valid: bool
    out_of_scope: str | None

    @property
    def suite(self) -> str:
        """limbo or bettertls."""
        return "bettertls" if self.id.startswith("bettertls::") else "limbo"


@cache
def cases(suite: str) -> tuple[Case, ...]:
    """All the cases of one suite, those out of scope too."""
    raw = json.loads(lzma.decompress((HERE / f"{suite}.json.xz").read_bytes()))
    ders = [base64.b64decode(one) for one in raw["certificates"]]
    return tuple(_case(one, ders) for one in raw["cases"])


def in_scope() -> tuple[Case, ...]:
    """What is judged, of both suites."""
    return tuple(case for suite in SUITES for case in cases(suite) if case.out_of_scope is None)


def _case(raw: Mapping[str, Any], ders: list[bytes]) -> Case:
    return Case(
        id=raw["id"],
        trusted=tuple(ders[place] for place in raw["trusted"]),
        untrusted=tuple(ders[place] for place in raw["untrusted"]),
        leaf=ders[raw["leaf"]],
        name=raw["name"],
        at=datetime.fromisoformat(raw["at"]),
        valid=raw["valid"],
        out_of_scope=_why_not(raw),
    )


def _why_not(raw: Mapping[str, Any]) -> str | None:
    if raw["kind"] == "CLIENT":
        return CLIENT
    return next((OUT_OF_SCOPE[feature] for feature in raw["features"] if feature in OUT_OF_SCOPE), None)
