from __future__ import annotations

import pytest

from vigilo_cli.launcher.supervisor import Supervised, obituary, pause_after


def test_pauses_double_up_to_half_a_minute() -> None:
    assert [pause_after(failures) for failures in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_process_that_never_comes_up_is_still_tried_without_overflow() -> None:
    assert pause_after(1000) == 30


def lines_about(deaths: int, code: int = 1) -> list[str | None]:
    member = Supervised("scanner", start=lambda: pytest.fail("not to be started"), last_words="bang")
    lines = []
    for _ in range(deaths):
        member.failures += 1
        lines.append(obituary(member, code))
    return lines


def test_a_row_of_deaths_is_told_at_its_first_and_fifth() -> None:
    told = lines_about(100)
    assert [number for number, line in enumerate(told, start=1) if line] == [1, 5]
    assert "bang" in str(told[4])


def test_a_line_says_whether_it_was_a_signal() -> None:
    assert "signal 9" in str(lines_about(1, code=-9)[0])
    assert "exit code 70" in str(lines_about(1, code=70)[0])
