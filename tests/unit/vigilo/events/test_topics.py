"""Names of topics that depend on a pool or a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.events.topics import BadPoolName, changelog_topic, check_pool, pool_topic, scan_topics

POOLS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}", fullmatch=True).filter(lambda name: not f"{name}-".startswith("now-"))


def test_the_public_pool_has_the_plain_names() -> None:
    assert scan_topics("public") == ("scan-requested-now", "scan-requested")


def test_a_private_pool_has_a_pair_of_its_own() -> None:
    assert scan_topics("dc1") == ("scan-requested-now-dc1", "scan-requested-dc1")


@given(POOLS, POOLS)
def test_two_pools_never_share_a_topic(one: str, other: str) -> None:
    if one != other:
        assert not set(scan_topics(one)) & set(scan_topics(other))


@pytest.mark.parametrize("pool", ["", "now", "now-dc1", "DC1", "a.b", "a_b", "-a", "x" * 41, "a b", "public\n"])
def test_names_that_cannot_be_part_of_a_topic(pool: str) -> None:
    with pytest.raises(BadPoolName):
        check_pool(pool)
    with pytest.raises(BadPoolName):
        pool_topic("scan-requested", pool)


def test_changelogs() -> None:
    assert changelog_topic("grader", "chains") == "grader-chains-changelog"
