"""How often an answer must come by default, for every trigger there is; and the rules a workspace begins with."""

from __future__ import annotations

from typing import get_args

import pytest

from vigilo.alerting.confirmation import DEFAULTS, Confirmation, confirmation
from vigilo.alerting.recommended import RECOMMENDED
from vigilo.events.triggers import Trigger

KINDS = [one.model_fields["kind"].default for one in get_args(get_args(Trigger)[0])]
SLOW = {"unreachable": (3, 2), "not-tls": (3, 1), "ocsp-stapling-stops": (3, 1), "grade-below": (2, 1)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_trigger_has_a_default(kind: str) -> None:
    assert confirmation(kind) == Confirmation(*SLOW.get(kind, (1, 1)))


def test_no_default_is_for_a_trigger_that_is_not_there() -> None:
    assert set(DEFAULTS) <= set(KINDS)


def test_six_rules_are_recommended() -> None:
    assert [(rule.trigger.kind, rule.severity.value) for rule in RECOMMENDED] == [
        ("expires-in-less-than", "warning"),
        ("expires-in-less-than", "critical"),
        ("chain-validation-fails", "critical"),
        ("unreachable", "critical"),
        ("scan-overdue", "warning"),
        ("grade-below", "warning"),
    ]
