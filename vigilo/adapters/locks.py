"""Advisory locks of the database: every number in one place, for two with the same number would exclude each other."""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """Who holds it does this alone. The numbers mean nothing but must never change while versions run side by side."""

    MIGRATION = 7_216_011_330_402
    CONFIG_RELAY = 7_216_011_330_403
    NOTIFIER_RELAY = 7_216_011_330_404
    BOOTSTRAP = 7_216_011_330_405
    PROJECTOR = 7_216_011_330_406
    REBUILD = 7_216_011_330_407
