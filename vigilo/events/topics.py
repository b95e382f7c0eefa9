"""Names of topics that depend on something: pools of scanners, changelogs of tables. Pure; logical names, no prefix."""

from __future__ import annotations

import re

PUBLIC_POOL = "public"
SCAN_REQUESTED = "scan-requested"
SCAN_REQUESTED_NOW = "scan-requested-now"

# `now` and `now-...` would make the slow lane of one pool the fast lane of another.
_POOL = re.compile(r"(?!now$|now-)[a-z0-9][a-z0-9-]{0,39}")


class BadPoolName(ValueError):
    """A pool name that cannot be part of a topic name."""


def check_pool(pool: str) -> str:
    """The pool's name itself. Raises BadPoolName unless it is 1-40 of a-z, 0-9, `-`, and not `now` or `now-...`."""
    if not _POOL.fullmatch(pool):
        raise BadPoolName(f"{pool!r}: 1-40 lower-case letters, digits and -, not beginning with `now-`")
    return pool


def pool_topic(topic: str, pool: str) -> str:
    """The topic of one pool: the public pool has the plain name, others add theirs. Raises BadPoolName."""
    return topic if pool == PUBLIC_POOL else f"{topic}-{check_pool(pool)}"


def scan_topics(pool: str) -> tuple[str, str]:
    """The pair of topics a pool's scanners read, fast lane first. Raises BadPoolName."""
    return pool_topic(SCAN_REQUESTED_NOW, pool), pool_topic(SCAN_REQUESTED, pool)


def changelog_topic(service: str, table: str) -> str:
    """The changelog of a stateful service's table."""
    return f"{service}-{table}-changelog"
