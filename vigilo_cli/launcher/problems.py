"""Why the launcher cannot go on, said so that the reader knows what to do."""

from __future__ import annotations


class CannotStart(Exception):
    """One line for a person: what is wrong and what to do about it. Ends the launcher with exit code 1."""
