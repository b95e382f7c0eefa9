from __future__ import annotations

import pytest

from vigilo_cli.progress import progress, words


@pytest.mark.parametrize(
    ("connections", "full", "doing"),
    [
        (0, True, "looking up the name"),
        (1, True, "shaking hands"),
        (17, True, "asking what it accepts, 17 connections"),
        (3, False, "shaking hands"),
    ],
)
def test_what_is_being_done(connections: int, full: bool, doing: str) -> None:
    assert words("a.test:443", connections=connections, seconds=1.25, full=full) == f"a.test:443: {doing}, 1.2 s"


async def test_nothing_is_shown_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    async with progress("a.test:443", connections=lambda: 0, full=True):
        pass
    assert capsys.readouterr() == ("", "")
