"""Spans of time as people say them."""

from __future__ import annotations

from datetime import timedelta

_DAY = timedelta(days=1)


def length(span: timedelta) -> str:
    """`29 days`, `5 hours`: in the largest unit of which there are two, rounded down; without a sign."""
    size = abs(span)
    if size >= 2 * _DAY:
        return f"{size // _DAY} days"
    if size >= timedelta(hours=2):
        return f"{size // timedelta(hours=1)} hours"
    return f"{size // timedelta(minutes=1)} minutes"


def span(left: timedelta) -> str:
    """`in 29 days`, `5 hours ago`: see `length`."""
    words = length(left)
    return f"{words} ago" if left < timedelta(0) else f"in {words}"
