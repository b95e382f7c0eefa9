"""Spans of time as people say them."""

from __future__ import annotations

from datetime import timedelta

_DAY = timedelta(days=1)


def span(left: timedelta) -> str:
    """`in 29 days`, `5 hours ago`: in the largest unit of which there are two, rounded down."""
    size = abs(left)
    if size >= 2 * _DAY:
        words = f"{size // _DAY} days"
    elif size >= timedelta(hours=2):
        words = f"{size // timedelta(hours=1)} hours"
    else:
        words = f"{size // timedelta(minutes=1)} minutes"
    return f"{words} ago" if left < timedelta(0) else f"in {words}"
