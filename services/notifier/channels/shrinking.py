"""Makes a JSON value fit: harmless text, shorter texts and shorter lists until it is small enough. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from vigilo.events.text import PEER_TEXT_MAX, visible

# (characters of a text, items of a list), tried in this order.
_STEPS = ((512, 100), (512, 20), (256, 20), (128, 10), (80, 5), (40, 2))


def encoded(value: Any) -> bytes:
    """Compact JSON with sorted keys: same value, same bytes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode("utf-8")


def clip(text: str, *, limit: int = PEER_TEXT_MAX) -> str:
    """`visible` of the text, without looking at more of it than will be shown."""
    return visible(text[: limit + 1], limit=limit)


def fitted(value: Any, *, limit: int, size: Callable[[Any], int] = lambda value: len(encoded(value))) -> Any:
    """The value with every hidden character made visible, cut as little as needed to stay within `limit` bytes.

    Texts under 40 characters and short lists are never cut, so the shape decides whether the last step fits.
    """
    cut = value
    for text, items in _STEPS:
        cut = shrunk(value, text=text, items=items)
        if size(cut) <= limit:
            break
    return cut


def shrunk(value: Any, *, text: int, items: int) -> Any:
    """Texts of at most `text` characters, lists of at most `items`, no number JSON cannot say."""
    if isinstance(value, str):
        return clip(value, limit=text)
    if isinstance(value, dict):
        return {key: shrunk(one, text=text, items=items) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [shrunk(one, text=text, items=items) for one in value[:items]]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
