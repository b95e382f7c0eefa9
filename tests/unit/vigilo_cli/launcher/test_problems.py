from __future__ import annotations

import pytest

from vigilo_cli.launcher.problems import reason_in


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("creating\ninitdb: error: could not write\ninitdb: removing contents", "initdb: error: could not write"),
        ("error: something\nfile x: No space left on device\nbye", "file x: No space left on device"),
        ("  \nonly this\n\n", "only this"),
        ('{"event": "error: address in use", "level": "error"}\n{"event": "stopped"}', "error: address in use"),
        ('{"event": "stopped"}', "stopped"),
        ("Traceback\nValueError: first\nRuntimeError: second", "RuntimeError: second"),
        ("", "it gave no reason"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_line_that_tells_most_is_shown(output: str, reason: str) -> None:
    assert reason_in(output) == reason
