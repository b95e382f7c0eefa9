from __future__ import annotations

import pytest

from services.api.permissions import Role
from services.api.signin.groups import GroupRole, Membership, Step, groups_in, parse_group_map, roles_for, steps


def test_a_map_is_read_and_groups_may_hold_equals_signs() -> None:
    assert parse_group_map(["ops=default:admin", "cn=dev=team-1:viewer"]) == (
        GroupRole("ops", "default", Role.ADMIN),
        GroupRole("cn=dev", "team-1", Role.VIEWER),
    )


@pytest.mark.parametrize("entry", ["ops", "ops=default", "=default:admin", "ops=De fault:admin", "ops=default:king"])
def test_a_wrong_entry_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=entry.rsplit("=", maxsplit=1)[-1]):
        parse_group_map([entry])


def test_owner_is_never_granted() -> None:
    with pytest.raises(ValueError, match="owner is given by hand only"):
        parse_group_map(["ops=default:owner"])


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (["a", "b"], {"a", "b"}),
        ("a", {"a"}),
        (None, set()),
        ({"a": 1}, set()),
        (["a", 1, None, ["b"]], {"a"}),
        (7, set()),
    ],
)
def test_groups_are_texts(claim: object, groups: set[str]) -> None:
    assert groups_in(claim) == groups


def test_the_highest_role_of_all_groups_counts() -> None:
    listed = parse_group_map(["a=one:viewer", "b=one:approver", "c=one:member", "b=two:viewer"])
    assert roles_for({"a", "b"}, listed) == {"one": Role.APPROVER, "two": Role.VIEWER}
    assert roles_for({"x"}, listed) == {}


def test_what_came_from_the_map_follows_it_and_the_rest_stays() -> None:
    present = [
        Membership("gone", Role.ADMIN, "oidc"),
        Membership("by-hand", Role.VIEWER, "local"),
        Membership("owned", Role.OWNER, "oidc"),
        Membership("same", Role.MEMBER, "oidc"),
        Membership("changed", Role.MEMBER, "oidc"),
    ]
    wanted = {
        "by-hand": Role.ADMIN,
        "owned": Role.VIEWER,
        "same": Role.MEMBER,
        "changed": Role.VIEWER,
        "new": Role.ADMIN,
    }
    assert steps(present, wanted) == (
        Step("alter", "changed", Role.VIEWER, Role.MEMBER),
        Step("remove", "gone", None, Role.ADMIN),
        Step("add", "new", Role.ADMIN),
    )
