"""What the reference clients negotiate: several rules of the guide ask this, not what is merely offered."""

from __future__ import annotations

from collections.abc import Callable

from vigilo.events.clients import ClientResult
from vigilo.grading.clients.simulation import settled, simulate
from vigilo.grading.inspection import Inspection
from vigilo.tls.suite_traits import SuiteTraits, suite_traits

# "Modern" in the sense of the posts on RC4 and 3DES: TLS 1.1 or newer was agreed on.
_MODERN = frozenset({"TLSv1.1", "TLSv1.2", "TLSv1.3"})


def reference_results(inspection: Inspection) -> tuple[ClientResult, ...]:
    """Reference clients that connect for certain."""
    posture = inspection.snapshot.posture
    return () if posture is None else settled(simulate(posture, inspection.leaf))


def modern_clients_using(inspection: Inspection, kind: Callable[[SuiteTraits], bool]) -> tuple[str, ...]:
    """Names of the clients, reference or not, that agree on TLS 1.1 or newer with a suite of that kind."""
    posture = inspection.snapshot.posture
    if posture is None:
        return ()
    results = settled(simulate(posture, inspection.leaf), reference=False)
    return tuple(one.name for one in results if one.version in _MODERN and _is(one, kind))


def modern_versions_of_only(inspection: Inspection, kind: Callable[[SuiteTraits], bool]) -> tuple[str, ...]:
    """Versions from TLS 1.1 on that have no suite of another kind: whoever connects with them uses it."""
    posture = inspection.snapshot.posture
    found = posture.versions if posture is not None else ()
    return tuple(
        one.version
        for one in found
        if one.version in _MODERN
        and one.complete
        and one.suites
        and all((suite := suite_traits(name)) is not None and kind(suite) for name in one.suites)
    )


def _is(result: ClientResult, kind: Callable[[SuiteTraits], bool]) -> bool:
    suite = suite_traits(result.suite or "")
    return suite is not None and kind(suite)
