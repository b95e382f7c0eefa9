"""The life of one alert: confirmation, unknown, snooze."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.inputs import HOST, NOON, RULE, rule
from vigilo.alerting import lifecycle
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.lifecycle import CLOSED, AlertState, Phase
from vigilo.events import ids
from vigilo.events.alerts import TransitionKind

TRUE, FALSE, UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN
ALERT = ids.alert_id(RULE, HOST, "cause")


def live(judgements: list[Judgement], *, snoozed: bool = False, fresh: bool = True, **limits: Any) -> str:
    """The transitions of an alert judged like this, one letter each: p, o, c, s, or `.` for none."""
    state, story = CLOSED, ""
    for judgement in judgements:
        state, kind = step(state, judgement, snoozed=snoozed, fresh=fresh, **limits)
        story += "." if kind is None else kind[0]
    return story


def step(
    state: AlertState, judgement: Judgement, *, snoozed: bool = False, fresh: bool = True, **limits: Any
) -> tuple[AlertState, TransitionKind | None]:
    state = lifecycle.counted(state, judgement, fresh=fresh)
    kind = lifecycle.decide(state, judgement, rule(**limits), snoozed=snoozed)
    return (state, None) if kind is None else (lifecycle.evolve(state, kind, alert_id=ALERT, at=NOON), kind)


def test_without_confirmation_the_first_judgement_opens_and_closes() -> None:
    assert live([TRUE, TRUE, FALSE, FALSE, TRUE]) == "o.c.o"


def test_opening_waits_for_enough_true_judgements_in_a_row() -> None:
    assert live([TRUE, TRUE, TRUE, TRUE], open_after=3) == "p.o."
    assert live([TRUE, TRUE, FALSE, TRUE, TRUE, TRUE], open_after=3) == "p.cp.o"


def test_closing_waits_for_enough_false_judgements_in_a_row() -> None:
    assert live([TRUE, FALSE, TRUE, FALSE, FALSE], close_after=2) == "o...c"


def test_unknown_changes_nothing_and_resets_no_count() -> None:
    assert live([TRUE, UNKNOWN, TRUE, UNKNOWN, UNKNOWN, TRUE], open_after=3) == "p....o"
    assert live([TRUE, FALSE, UNKNOWN, FALSE], close_after=2) == "o..c"
    assert live([UNKNOWN, UNKNOWN]) == ".."


def test_looking_twice_at_one_card_counts_once() -> None:
    assert live([TRUE, TRUE, TRUE, TRUE], open_after=3, fresh=False) == "p..."
    assert live([TRUE, FALSE, FALSE, FALSE], close_after=2, fresh=False) == "o..."


def test_a_snoozed_alert_is_suppressed_and_opens_after_the_snooze_if_still_true() -> None:
    state, kind = step(CLOSED, TRUE, snoozed=True)
    assert kind is TransitionKind.SUPPRESSED
    assert step(state, TRUE, snoozed=True)[1] is None
    assert step(state, UNKNOWN, snoozed=False)[1] is None
    assert step(state, FALSE, snoozed=True)[1] is TransitionKind.CLOSED
    opened, kind = step(state, TRUE, snoozed=False)
    assert kind is TransitionKind.OPENED
    assert (opened.alert_id, opened.n, opened.episode) == (ALERT, 2, 1)


def test_a_snooze_leaves_an_open_alert_open() -> None:
    state, _ = step(CLOSED, TRUE)
    assert step(state, TRUE, snoozed=True) == (state, None)


def test_a_new_alert_is_a_new_episode() -> None:
    state, _ = step(CLOSED, TRUE)
    assert (state.phase, state.n, state.episode) == (Phase.OPEN, 1, 1)
    state, _ = step(state, FALSE)
    assert (state.phase, state.n, state.episode, state.alert_id) == (Phase.CLOSED, 0, 1, None)
    state, _ = step(state, TRUE)
    assert (state.n, state.episode) == (1, 2)


def test_an_acknowledgement_counts_as_a_transition_and_changes_nothing_else() -> None:
    state, _ = step(CLOSED, TRUE)
    after = lifecycle.evolve(state, TransitionKind.ACKNOWLEDGED, alert_id=ALERT, at=NOON)
    assert after == state.model_copy(update={"n": 2})


@given(st.lists(st.sampled_from(Judgement), max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_an_alert_is_open_exactly_when_the_last_known_answers_say_so(
    judgements: list[Judgement], open_after: int, close_after: int
) -> None:
    state, is_open, trues, falses = CLOSED, False, 0, 0
    for judgement in judgements:
        state, _ = step(state, judgement, open_after=open_after, close_after=close_after)
        trues = {TRUE: trues + 1, FALSE: 0, UNKNOWN: trues}[judgement]
        falses = {FALSE: falses + 1, TRUE: 0, UNKNOWN: falses}[judgement]
        is_open = falses < close_after if is_open else trues >= open_after
        assert (state.phase is Phase.OPEN) == is_open
        assert (state.phase is Phase.PENDING) == (not is_open and trues > 0)
