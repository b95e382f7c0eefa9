from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from vigilo_cli.launcher.progress import Progress


def progress(*, terminal: bool) -> tuple[Progress, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=200, highlight=False, soft_wrap=True)
    return Progress(console), out


def test_without_a_terminal_each_step_is_one_plain_line() -> None:
    shown, out = progress(terminal=False)
    with shown.step("Kafka") as step, shown.step("PostgreSQL"):
        step.detail = "Apache [Kafka]"
    lines = out.getvalue().splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", "PostgreSQL"], ["ok", "Kafka"]]
    assert lines[1].endswith("Apache [Kafka]")
    assert "\x1b" not in out.getvalue()


def test_a_step_that_fails_is_not_shown_as_done() -> None:
    shown, out = progress(terminal=False)
    with pytest.raises(RuntimeError), shown.step("Kafka"):
        raise RuntimeError
    assert out.getvalue() == ""


@pytest.mark.parametrize("line", ["curl x \\", "[red]not markup[/red]", "a \\[b]", ":bomb:"])
def test_what_is_said_is_shown_as_it_is(line: str) -> None:
    shown, out = progress(terminal=False)
    shown.say(line, style="yellow")
    assert out.getvalue() == f"{line}\n"


def test_on_a_terminal_open_steps_are_named_while_they_run() -> None:
    shown, out = progress(terminal=True)
    with shown.step("Kafka"), shown.step("Services") as step:
        step.waiting = "grader"
        shown.refresh()
        deadline = time.monotonic() + 10
        while "Kafka, Services (grader) ..." not in out.getvalue():
            assert time.monotonic() < deadline, out.getvalue()
            time.sleep(0.02)
    assert "✓" in out.getvalue()
