"""One handshake against a posture: what it proves wrong, and where the posture makes no claim."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.inputs import posture
from vigilo.events.posture import GroupsPosture, Posture, Support, VersionPosture
from vigilo.tls.posture.contradiction import Contradiction, contradiction, is_believable

GCM, GCM_13 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"
CBC, CCM_13 = "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_128_CCM_SHA256"
ONLY_12 = posture(accepted=("TLSv1.2",))


def found(known: Posture, version: str | None, **seen: Any) -> Contradiction | None:
    return contradiction(known, version=version, **{"same_address": True, **seen})


def changed(known: Posture, name: str, **changes: Any) -> Posture:
    versions = tuple(one.model_copy(update=changes) if one.version == name else one for one in known.versions)
    return known.model_copy(update={"versions": versions})


@pytest.mark.parametrize(
    ("known", "seen", "proved"),
    [
        (posture(), {"version": "TLSv1.3", "suite": GCM_13, "group": "x25519"}, None),
        (ONLY_12, {"version": "TLSv1.3"}, Contradiction.VERSION),
        (posture(), {"version": "TLSv1.2", "suite": GCM}, Contradiction.BEST_VERSION),
        (posture(), {"version": "TLSv1.3", "suite": CCM_13}, Contradiction.SUITE),
        (ONLY_12, {"version": "TLSv1.2", "suite": CBC}, Contradiction.SUITE),
        (posture(), {"version": "TLSv1.3", "suite": GCM_13, "group": "secp384r1"}, Contradiction.GROUP),
        (ONLY_12, {"version": "TLSv1.2", "suite": GCM, "group": "secp521r1"}, Contradiction.GROUP),
        (posture(), {"version": "TLSv1.3", "suite": GCM_13, "group": "X25519"}, None),
    ],
)
def test_what_a_handshake_proves(known: Posture, seen: dict[str, Any], proved: Contradiction | None) -> None:
    assert found(known, **seen) is proved


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        (changed(ONLY_12, "TLSv1.2", complete=False), {"version": "TLSv1.2", "suite": CBC}),
        (changed(ONLY_12, "TLSv1.2", suites_count=300), {"version": "TLSv1.2", "suite": CBC}),
        (changed(posture(), "TLSv1.3", support=Support.UNKNOWN), {"version": "TLSv1.3"}),
        (posture(versions=()), {"version": "TLSv1.3"}),
        (posture(groups=None), {"version": "TLSv1.3", "group": "secp384r1"}),
        (posture(groups=GroupsPosture(groups=("x25519",))), {"version": "TLSv1.3", "group": "secp384r1"}),
        (posture(), {"version": "TLSv1.3", "group": "a group of tomorrow"}),
        (ONLY_12, {"version": "TLSv1.2", "group": "ffdhe2048"}),
        (posture(), {"version": None, "suite": CBC}),
    ],
)
def test_where_a_posture_makes_no_claim(known: Posture, seen: dict[str, Any]) -> None:
    assert found(known, **seen) is None


def test_another_address_may_have_a_lesser_best_version() -> None:
    assert found(posture(), "TLSv1.2", suite=GCM, same_address=False) is None
    assert found(posture(), "TLSv1.2", suite=CBC, same_address=False) is Contradiction.SUITE


def test_groups_of_tls_1_2_are_known_for_the_best_older_version_only() -> None:
    known = posture(accepted=("TLSv1.1", "TLSv1.2"))
    assert found(known, "TLSv1.1", group="secp521r1", same_address=False) is None


def test_what_is_believed() -> None:
    assert is_believable(posture())
    assert not is_believable(posture(throttled=True))
    assert not is_believable(posture(accepted=()))
    assert not is_believable(None)


names = st.sampled_from(["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3", "unheard of"])
versions = st.builds(
    VersionPosture,
    version=names,
    support=st.sampled_from(Support),
    suites=st.lists(st.sampled_from([GCM, CBC, GCM_13]), unique=True).map(tuple),
    complete=st.just(False),
)


@given(st.lists(versions, unique_by=lambda one: one.version), names, st.sampled_from([GCM, CBC, None]))
def test_an_incomplete_list_rules_out_no_suite_and_no_group(
    known: list[VersionPosture], version: str, suite: str | None
) -> None:
    proved = found(Posture(versions=tuple(known)), version, suite=suite, group="x25519")
    assert proved in {None, Contradiction.VERSION, Contradiction.BEST_VERSION}
