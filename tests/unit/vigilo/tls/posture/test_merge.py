"""One posture of several: never better than the worst of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilo.events.posture import GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.tls.posture.merge import merge

VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA")
GOOD = ("secure_renegotiation", "fallback_scsv", "extended_master_secret", "encrypt_then_mac")
OLDER = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2")

supports = st.sampled_from(Support)
orders = st.sampled_from([None, *SuiteOrder])
lists = st.lists(st.sampled_from(SUITES), unique=True).map(tuple)


@st.composite
def versions(draw: st.DrawFn, name: str) -> VersionPosture:
    support = draw(supports)
    suites = draw(lists) if support is Support.ACCEPTED else ()
    return VersionPosture(
        version=name,
        support=support,
        suites=suites,
        suites_count=len(suites),
        complete=draw(st.booleans()),
        order=draw(orders) if suites else None,
        chacha_first=draw(st.sampled_from([None, True, False])) if suites else None,
    )


groups = st.none() | st.builds(
    GroupsPosture,
    groups=st.lists(st.sampled_from(["x25519", "secp256r1", "X25519MLKEM768"]), unique=True).map(tuple),
    complete=st.booleans(),
    order=orders,
)
postures = st.builds(
    Posture,
    versions=st.sets(st.sampled_from(VERSIONS)).flatmap(
        lambda names: st.tuples(*(versions(name) for name in VERSIONS if name in names))
    ),
    groups=groups,
    groups_tls12=groups,
    dh_bits=st.none() | st.integers(512, 4096),
    compression=supports,
    secure_renegotiation=supports,
    fallback_scsv=supports,
    extended_master_secret=supports,
    encrypt_then_mac=supports,
    session_tickets=supports,
    alpn=st.lists(st.sampled_from(["h2", "http/1.1"]), unique=True).map(lambda names: tuple(sorted(names))),
    throttled=st.booleans(),
    notes=st.lists(st.sampled_from(["slow", "odd"]), unique=True).map(tuple),
    address=st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    connections=st.integers(0, 100),
    duration_ms=st.none() | st.integers(0, 30_000),
)
several = st.lists(postures, min_size=1, max_size=4)


def version(posture: Posture, name: str) -> VersionPosture:
    return next((one for one in posture.versions if one.version == name), VersionPosture(version=name))


def speaks_older(posture: Posture) -> bool:
    return any(version(posture, name).support is not Support.REJECTED for name in OLDER)


@given(postures, st.integers(1, 4))
def test_one_posture_however_often_is_itself(one: Posture, times: int) -> None:
    assert merge([one] * times) == one


@given(several.flatmap(lambda given: st.tuples(st.just(given), st.permutations(given))))
def test_the_order_of_addresses_makes_no_difference(given: tuple[list[Posture], list[Posture]]) -> None:
    assert merge(given[0]) == merge(given[1])


@given(several)
def test_what_one_accepts_is_accepted_and_only_what_all_reject_is_rejected(given: list[Posture]) -> None:
    merged = merge(given)
    for name in VERSIONS:
        supported = {version(one, name).support for one in given}
        found = version(merged, name)
        assert (found.support is Support.ACCEPTED) == (Support.ACCEPTED in supported)
        assert (found.support is Support.REJECTED) == (supported == {Support.REJECTED})
        assert set(found.suites) == {suite for one in given for suite in version(one, name).suites}
        assert found.suites_count == len(found.suites)
    for name in ("compression", "session_tickets"):
        supported = {getattr(one, name) for one in given}
        assert (getattr(merged, name) is Support.ACCEPTED) == (Support.ACCEPTED in supported)
        assert (getattr(merged, name) is Support.REJECTED) == (supported == {Support.REJECTED})


@given(several)
def test_a_protection_is_there_only_where_all_addresses_that_need_it_have_it(given: list[Posture]) -> None:
    merged = merge(given)
    needing = [one for one in given if speaks_older(one)] or given
    for name in GOOD:
        supported = {getattr(one, name) for one in needing}
        assert (getattr(merged, name) is Support.REJECTED) == (Support.REJECTED in supported)
        assert (getattr(merged, name) is Support.ACCEPTED) == (supported == {Support.ACCEPTED})


@given(several)
@settings(max_examples=200)
def test_nothing_is_better_or_surer_than_at_the_worst_address(given: list[Posture]) -> None:
    merged = merge(given)
    sizes = [one.dh_bits for one in given if one.dh_bits is not None]
    assert merged.dh_bits == (min(sizes) if sizes else None)
    assert merged.throttled == any(one.throttled for one in given)
    for name in VERSIONS:
        found, all_of_it = version(merged, name), [version(one, name) for one in given]
        assert found.complete <= all(one.complete for one in all_of_it)
        accepting = [one for one in all_of_it if one.support is Support.ACCEPTED]
        if any(one.order is SuiteOrder.CLIENT for one in accepting):
            assert found.order is SuiteOrder.CLIENT
        assert (found.order is SuiteOrder.SERVER) <= all(one.order is SuiteOrder.SERVER for one in accepting)
        assert (found.chacha_first is True) <= all(one.chacha_first is True for one in accepting)
    for which in ("groups", "groups_tls12"):
        of_all, its = getattr(merged, which), [getattr(one, which) for one in given]
        if of_all is not None:
            assert of_all.complete <= all(one.complete for one in its if one is not None)
            assert set(of_all.groups) == {group for one in its if one is not None for group in one.groups}


@given(several, postures)
def test_one_more_address_never_takes_anything_away(given: list[Posture], one: Posture) -> None:
    without, with_it = merge(given), merge([*given, one])
    assert set(without.supporting(Support.ACCEPTED)) <= set(with_it.supporting(Support.ACCEPTED))
    assert set(with_it.supporting(Support.REJECTED)) <= set(without.supporting(Support.REJECTED))


def test_what_differs_is_named() -> None:
    old = Posture(
        versions=(VersionPosture(version="TLSv1.0", support=Support.ACCEPTED, suites=SUITES[2:], complete=True),),
        dh_bits=1024,
        address="192.0.2.1",
        connections=40,
    )
    new = Posture(
        versions=(VersionPosture(version="TLSv1.0", support=Support.REJECTED, complete=True),),
        address="192.0.2.2",
        connections=30,
    )
    merged = merge([new, old])
    assert merged.notes == ("the addresses differ: TLSv1.0, DH size",)
    assert (merged.dh_bits, merged.connections, merged.address) == (1024, 70, None)
    assert merge([new, new.model_copy(update={"address": "192.0.2.3"})]).notes == ()


def test_an_address_with_tls13_alone_needs_none_of_the_older_protections() -> None:
    def speaking(*names: str, **fields: object) -> Posture:
        all_of_it = (
            VersionPosture(version=name, support=Support.ACCEPTED if name in names else Support.REJECTED, complete=True)
            for name in VERSIONS
        )
        return Posture(versions=tuple(all_of_it), **fields)

    both = speaking("TLSv1.2", "TLSv1.3", secure_renegotiation=Support.ACCEPTED, address="192.0.2.1")
    newest = speaking("TLSv1.3", address="192.0.2.2")
    assert merge([both, newest]).secure_renegotiation is Support.ACCEPTED
    unclear = speaking("TLSv1.2", address="192.0.2.3")
    assert merge([both, unclear]).secure_renegotiation is Support.UNKNOWN


def test_there_is_no_posture_of_nothing() -> None:
    with pytest.raises(ValueError, match="no posture"):
        merge([])
