from __future__ import annotations

from vigilo_cli.launcher.supervisor import pause_after


def test_pauses_double_up_to_half_a_minute() -> None:
    assert [pause_after(failures) for failures in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_process_that_never_comes_up_is_still_tried_without_overflow() -> None:
    assert pause_after(1000) == 30
