"""What a person sees while things start: one line per step with its seconds, and what is still under way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.status import Status


@dataclass(slots=True)
class Step:
    """One step under way; `detail` is shown beside its name when it is done."""

    name: str
    detail: str = ""


class Progress:
    """Steps may overlap. On a terminal open ones spin in the last line; elsewhere each is one line when done."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._open: list[Step] = []
        self._spinner: Status | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show `name` as under way until the block ends; a block that raises is not shown as done."""
        step, started = Step(name), time.monotonic()
        self._open.append(step)
        self._spin()
        done = False
        try:
            yield step
            done = True
        finally:
            self._open.remove(step)
            if done:
                self._print_done(step, time.monotonic() - started)
            self._spin()

    def say(self, line: str, *, style: str = "") -> None:
        """One line of its own; `line` is text, not markup."""
        self.console.print(f"[{style}]{escape(line)}[/{style}]" if style else escape(line))

    def _print_done(self, step: Step, seconds: float) -> None:
        mark = "[green]✓[/green]" if self.console.is_terminal else "ok"
        self.console.print(f"{mark} {step.name:<16} {seconds:5.1f} s  [dim]{escape(step.detail)}[/dim]")

    def _spin(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None
        if self._open and self.console.is_terminal:
            self._spinner = self.console.status(", ".join(step.name for step in self._open) + " ...")
            self._spinner.start()
