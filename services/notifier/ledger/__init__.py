"""The ledger in PostgreSQL: what must be sent, what was tried, what came of it. One concern per module.

Every function runs inside the caller's transaction. Who writes to a channel's deliveries holds the lock of the
channel's row; new rows alone are added without it.
"""

from __future__ import annotations

from typing import Final

from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

# The database is away, or went away meanwhile: it comes back, and what was not committed is done again.
TROUBLE: Final = (OperationalError, InterfaceError, PoolTimeout)
SILENT: Final = "the ledger does not answer"
