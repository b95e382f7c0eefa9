"""Why the launcher cannot go on, said so that the reader knows what to do."""

from __future__ import annotations


class CannotStart(Exception):
    """One line for a person: what is wrong and what to do about it. Ends the launcher with exit code 1."""


_TELLING = ("no space left", "error", "fatal", "could not", "cannot", "exception")


def reason_in(output: str) -> str:
    """The line of a failed program's output that tells most: the first with a telling word, else the last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for word in _TELLING:
        for line in lines:
            if word in line.lower():
                return line[:300]
    return lines[-1][:300] if lines else "it gave no reason"
