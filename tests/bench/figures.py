"""Figures as they are printed: one line each, and appended to the file that VIGILO_BENCH_FILE names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[int(rank) - 1]


def report(what: str, figure: str, *, target: str = "") -> None:
    """Prints one figure, with the target beside it where there is one."""
    line = f"{what:<70} {figure:>28}  {target}"
    print(line, flush=True)
    path = os.environ.get("VIGILO_BENCH_FILE")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
