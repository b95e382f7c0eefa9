"""What a person sees while things start: one line per step with its seconds, and what is still under way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.status import Status
from rich.text import Text


@dataclass(slots=True)
class Step:
    """One step under way; `waiting` is shown beside its name until it is done, then `detail`."""

    name: str
    detail: str = ""
    waiting: str = ""


class Progress:
    """Steps may overlap. On a terminal open ones spin in the last line; elsewhere each is one line when done."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._open: list[Step] = []
        self._spinner: Status | None = None
        self._shown = ""

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show `name` as under way until the block ends; a block that raises is not shown as done."""
        step, started = Step(name), time.monotonic()
        self._open.append(step)
        self.refresh()
        done = False
        try:
            yield step
            done = True
        finally:
            self._open.remove(step)
            if done:
                self._print_done(step, time.monotonic() - started)
            self.refresh()

    def say(self, line: str, *, style: str = "") -> None:
        """One line of its own; `line` is text, not markup."""
        self.console.print(Text(line, style=style))

    def _print_done(self, step: Step, seconds: float) -> None:
        mark = Text("✓", style="green") if self.console.is_terminal else Text("ok")
        done = Text(f" {step.name:<16} {seconds:5.1f} s  ")
        self.console.print(mark + done + Text(step.detail, style="dim"))

    def refresh(self) -> None:
        """Show what is open now; cheap when nothing changed."""
        text = ", ".join(f"{step.name} ({step.waiting})" if step.waiting else step.name for step in self._open)
        if text == self._shown or not self.console.is_terminal:
            return
        self._shown = text
        if self._spinner is not None and not text:
            self._spinner.stop()
            self._spinner = None
        elif self._spinner is not None:
            self._spinner.update(Text(f"{text} ..."))
        else:
            self._spinner = self.console.status(Text(f"{text} ..."))
            self._spinner.start()
