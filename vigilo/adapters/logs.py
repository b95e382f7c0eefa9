"""Logs as JSON lines on standard error: one event, one line, UTC, whatever text is in it.

Everything that is not plain ASCII is escaped, so text from the network can neither break a line nor turn it round.
The libraries' own log records (Faust, aiokafka, uvicorn) come out in the same form.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LONGEST_TEXT = 8_000  # characters of one value; a traceback fits, a hostile banner does not flood the disk
SECRET_KEYS = frozenset({"password", "secret", "token", "authorization", "cookie", "api_key"})
MASK = "********"

# Libraries that write more than one line for every event we handle.
QUIET = ("aiokafka", "kafka", "asyncio", "faust", "mode", "httpx", "httpcore", "urllib3")


def configure(service: str, level: str = "INFO", *, stream: TextIO | None = None) -> None:
    """Send this process's logs, ours and the libraries', to `stream` (standard error) from now on.

    `level` is a name of the logging module in any case; libraries are kept one level stricter. Raises ValueError for
    an unknown level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"unknown log level {level!r}")
    shared = _shared(service)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(shared))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(number)
    for library in QUIET:
        logging.getLogger(library).setLevel(max(number, logging.WARNING))


def _shared(service: str) -> list[Processor]:
    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        name_service,
        mask_secrets,
    ]


def _formatter(shared: list[Processor]) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, to_line],
    )


def mask_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The event with the values of secret-sounding keys masked."""
    return {key: MASK if key.lower() in SECRET_KEYS else value for key, value in event.items()}


def to_line(_: WrappedLogger, __: str, event: EventDict) -> str:
    """One line of ASCII JSON, the same keys first in every line, long texts cut."""
    first = {key: event.pop(key) for key in ("time", "level", "service", "event") if key in event}
    return json.dumps(_cut({**first, **event}), ensure_ascii=True, default=_as_text)


def _as_text(value: object) -> object:
    return _cut(str(value))


def _cut(value: object) -> object:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}... ({len(value)} characters)"
    if isinstance(value, dict):
        return {str(key): _cut(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(inner) for inner in value]
    return value
