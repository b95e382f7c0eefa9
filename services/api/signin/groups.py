"""Groups an issuer names, and the roles they stand for here. Pure.

The map never grants the role owner: who runs the directory would own every workspace. A role given by hand stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.api.permissions import Role

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_GRANTABLE: Final = {role.label: role for role in Role if role is not Role.OWNER}


@dataclass(frozen=True, slots=True)
class GroupRole:
    """Members of `group` have `role` in the workspace with that short name."""

    group: str
    workspace: str
    role: Role


@dataclass(frozen=True, slots=True)
class Membership:
    """A place a user has now. `source`: `local` (given by hand) or `oidc` (by this map)."""

    workspace: str
    role: Role
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """One membership to make, alter or remove. `role` is None only for `remove`; `before` only for `add`."""

    kind: Literal["add", "alter", "remove"]
    workspace: str
    role: Role | None
    before: Role | None = None


def parse_group_map(entries: Iterable[str]) -> tuple[GroupRole, ...]:
    """`group=workspace:role`, each; the group may hold `=` itself. Raises ValueError naming the wrong one."""
    return tuple(_entry(text) for text in entries)


def _entry(text: str) -> GroupRole:
    group, equals, place = text.rpartition("=")
    workspace, _, role = place.partition(":")
    if not equals or not group.strip() or not _SLUG.fullmatch(workspace):
        raise ValueError(f"not group=workspace:role: {text!r}")
    if role not in _GRANTABLE:
        raise ValueError(f"{text!r}: the role is one of {', '.join(_GRANTABLE)}; owner is given by hand only")
    return GroupRole(group.strip(), workspace, _GRANTABLE[role])


def groups_in(claim: object) -> frozenset[str]:
    """The groups of a claim that is a list of texts or one text; anything else names none."""
    if isinstance(claim, str):
        return frozenset({claim})
    if isinstance(claim, Sequence):
        return frozenset(one for one in claim if isinstance(one, str))
    return frozenset()


def roles_for(groups: Collection[str], group_map: Iterable[GroupRole]) -> dict[str, Role]:
    """The highest role of these groups, by workspace."""
    roles: dict[str, Role] = {}
    for entry in group_map:
        if entry.group in groups:
            roles[entry.workspace] = max(entry.role, roles.get(entry.workspace, entry.role))
    return roles


def steps(present: Collection[Membership], wanted: Mapping[str, Role]) -> tuple[Step, ...]:
    """What makes the memberships that came from the map follow it; those given by hand, and owners, stay."""
    here = {one.workspace: one for one in present}
    adding = [Step("add", slug, role) for slug, role in wanted.items() if slug not in here]
    changing = [_change(one, wanted.get(one.workspace)) for one in present if _follows(one)]
    return tuple(sorted((*adding, *filter(None, changing)), key=lambda step: step.workspace))


def _follows(membership: Membership) -> bool:
    return membership.source == "oidc" and membership.role is not Role.OWNER


def _change(membership: Membership, role: Role | None) -> Step | None:
    if role is None:
        return Step("remove", membership.workspace, None, membership.role)
    if role is membership.role:
        return None
    return Step("alter", membership.workspace, role, membership.role)
