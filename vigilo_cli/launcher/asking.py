"""One line from a short program whose answer is for the person alone: it goes to no log."""

from __future__ import annotations

import subprocess

from vigilo_cli.launcher.problems import CannotStart, reason_in
from vigilo_cli.launcher.processes import Command, merged_environment

_SECONDS = 30.0


def ask(command: Command) -> str:
    """What it prints. Raises CannotStart with what it complains of."""
    try:
        answer = subprocess.run(
            command.argv,
            env=merged_environment(command),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"{command.name} did not answer within {_SECONDS:.0f} s") from error
    if answer.returncode != 0:
        raise CannotStart(reason_in(answer.stderr))
    return answer.stdout.strip()
