"""Known holes that were seen open make everything else a server does well worthless."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.posture import Exposure, Vulnerability
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

# By the names that snapshots use: the hole's own name, and what closes it.
_HOLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "heartbleed": (
            "Heartbleed (CVE-2014-0160)",
            "update OpenSSL to 1.0.1g or later, then replace keys and certificates: they may have been read",
        ),
        "ccs-injection": ("CCS injection (CVE-2014-0224)", "update OpenSSL to 0.9.8za, 1.0.0m, 1.0.1h or later"),
        "ticketbleed": ("Ticketbleed (CVE-2016-9244)", "update BIG-IP, or switch session tickets off (F5 K05121675)"),
        "robot": ("ROBOT (CVE-2017-13099 and others)", "switch off the suites TLS_RSA_*, or update the TLS library"),
    }
)


def check(inspection: Inspection) -> Result | None:
    """F for a hole that was seen open, with what closes it; what is not known costs nothing. None where none asked."""
    posture = inspection.snapshot.posture
    if posture is None or not posture.vulnerabilities:
        return None
    found = posture.vulnerabilities
    wide_open = [one for one in found if one.exposure is Exposure.VULNERABLE]
    if wide_open:
        return Result(FindingLevel.FAILURE, "; ".join(_described(one) for one in wide_open), cap=Grade.F)
    safe = [_name(one) for one in found if one.exposure is Exposure.SAFE]
    if len(safe) == len(found):
        return Result(FindingLevel.GOOD, f"safe from {', '.join(safe)}")
    unclear = [f"{_name(one)}: {one.evidence or 'no answer'}" for one in found if one.exposure is Exposure.UNKNOWN]
    return Result(FindingLevel.UNKNOWN, f"not known: {'; '.join(unclear)}")


def _name(one: Vulnerability) -> str:
    return _HOLES[one.name][0].partition(" (")[0] if one.name in _HOLES else one.name


def _described(one: Vulnerability) -> str:
    title, fix = _HOLES.get(one.name, (one.name, "update the TLS library"))
    return f"{title}: the server {one.evidence}. To close it: {fix}"


RULE = Rule(
    id="house.vulnerabilities",
    title="Known vulnerabilities",
    citation="CVE-2014-0160; CVE-2014-0224; CVE-2016-9244; CVE-2017-13099",
    effective=date(2026, 1, 1),
    check=check,
    fix="update the TLS library, as the finding says",
)
