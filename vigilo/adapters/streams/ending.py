"""The end of a process whose invariants broke: at once, so that nothing more is written or committed."""

from __future__ import annotations

import logging
import os
from typing import NoReturn

logger = logging.getLogger("vigilo.streams")

# EX_SOFTWARE of sysexits.h. The supervisor starts the service again; what was not committed is read again.
EXIT_BROKEN = 70


class InvariantBroken(Exception):
    """Something this process relies on is not so; only a fresh start can tell what is true."""


def end_process(reason: str, error: BaseException | None = None) -> NoReturn:
    """Logs the reason and ends the process without unwinding: no flush, no commit, no goodbye to the group."""
    logger.critical("ending the process: %s", reason, exc_info=error)
    logging.shutdown()
    os._exit(EXIT_BROKEN)
