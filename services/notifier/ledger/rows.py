"""Deliveries as SQL names them."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from services.notifier.records import Row

# What a query selects to get a `Row`.
COLUMNS: Final = ", ".join(field.name for field in fields(Row))
