"""Why the launcher cannot go on, said so that the reader knows what to do."""

from __future__ import annotations

import json


class CannotStart(Exception):
    """One line for a person: what is wrong and what to do about it. Ends the launcher with exit code 1."""


_TELLING = ("no space left", "error", "fatal", "critical", "could not", "cannot", "exception", "must be", "required")


def reason_in(output: str) -> str:
    """The line of a failed program's output that tells most: the last with a telling word, else the last of all.

    Of a JSON log line only its event is shown.
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for word in _TELLING:
        for line in reversed(lines):
            if word in line.lower():
                return _event(line)[:300]
    return _event(lines[-1])[:300] if lines else "it gave no reason"


def _event(line: str) -> str:
    try:
        record = json.loads(line)
        return f"{record['event']}"
    except (ValueError, KeyError, TypeError):
        return line
