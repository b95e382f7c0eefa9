from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import pki
from vigilo.events.facts import ChainShape
from vigilo.tls.chain import describe_chain

URL = "http://ca.test/root.der"
ROOT = pki.issue(pki.Options(common_name="Root", ca=True))
UPPER = pki.issue(pki.Options(common_name="Upper CA", ca=True, ca_issuers_url=URL), ROOT)
LOWER = pki.issue(pki.Options(common_name="Lower CA", ca=True), UPPER)
LEAF = pki.issue(pki.Options(names=("a.test",)), LOWER)
STRANGER = pki.Authority.create("Stranger").intermediate
# The upper CA's key and name once more, certified by another root: a cross-signed one.
OTHER_ROOT = pki.issue(pki.Options(common_name="Old Root", ca=True))
CROSS = pki.issue(pki.Options(common_name="Upper CA", ca=True, key=UPPER.key), OTHER_ROOT)
# The same name, another key: key identifiers tell them apart.
NAMESAKE = pki.issue(pki.Options(common_name="Lower CA", ca=True), ROOT)
MISSING = ChainShape(missing_issuer="CN=Root", missing_issuer_urls=(URL,))


def shape(*served: pki.Issued) -> ChainShape:
    found = describe_chain([one.der for one in served]).shape
    assert found is not None
    return found


def test_a_good_chain_lacks_only_its_root() -> None:
    assert shape(LEAF, LOWER, UPPER) == MISSING
    assert shape(LEAF, LOWER, UPPER, ROOT) == ChainShape()


def test_out_of_order() -> None:
    assert shape(LEAF, UPPER, LOWER) == MISSING.model_copy(update={"in_order": False})


def test_what_does_not_belong_and_what_comes_twice() -> None:
    assert shape(LEAF, LOWER, STRANGER, UPPER, LOWER) == MISSING.model_copy(update={"extra": (2,), "duplicates": (4,)})
    assert shape(LEAF, LOWER, UPPER, NAMESAKE).extra == (3,)


def test_a_cross_signed_certificate_belongs() -> None:
    found = shape(LEAF, LOWER, UPPER, CROSS)
    assert (found.in_order, found.extra) == (True, ())


def test_an_intermediate_is_missing() -> None:
    assert shape(LEAF, UPPER) == ChainShape(missing_issuer="CN=Lower CA", extra=(1,))
    assert shape(LEAF).missing_issuer == "CN=Lower CA"


def test_a_self_signed_leaf_lacks_nothing() -> None:
    assert shape(ROOT) == ChainShape()


def test_certificates_that_certify_each_other_end_the_search() -> None:
    first, second = pki.ec_key(), pki.ec_key()
    bare = pki.Options(key_identifiers=False, ca=True)
    one = pki.issue(replace(bare, common_name="One", key=first))
    two = pki.issue(replace(bare, common_name="Two", key=second), one)
    back = pki.issue(replace(bare, common_name="One", key=first), two)
    assert shape(two, back) == ChainShape()


@given(st.lists(st.sampled_from([b"", b"x", LEAF.der, LOWER.der, LEAF.der[:-9], b"\x30\x03\x30\x01\x00"]), max_size=40))
def test_any_bytes_have_a_shape(served: list[bytes]) -> None:
    found = describe_chain(served).shape
    assert (found is None) == (not served)
    assert found is None or {*found.extra, *found.duplicates} <= set(range(min(len(served), 32)))


@pytest.mark.parametrize("data", [b"", b"\x30\x00"])
def test_bytes_that_are_no_certificate(data: bytes) -> None:
    assert describe_chain([data]).shape == ChainShape()
