"""What is said of a trigger that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.api.models.rules import RulePatch, RuleToAdd
from services.api.models.triggers import KINDS, AskedTrigger
from services.api.problems import of_validation
from tests.unit.vigilo.alerting.asked import every_trigger
from vigilo.events.triggers import Trigger

GRADES = "A+ to E: A+, A, A-, B, C, D or E"
SHARE = "a share of the lifetime is between 0 and 1, e.g. 0.33 for a third"
DAYS = "more than 0, at most 3650; parts of a day count, e.g. 0.5"


def complaints(trigger: Any) -> list[tuple[str, str, str]]:
    """Field, problem and what is allowed, as an answer says them."""
    body = {"name": "soon", "trigger": trigger, "severity": "info"}
    with pytest.raises(ValidationError) as refusal:
        RuleToAdd.model_validate(body)
    errors = [{**error, "loc": ("body", *error["loc"])} for error in refusal.value.errors()]
    return [(one["field"], one["problem"], one["allowed"]) for one in of_validation(errors, body).members["errors"]]


@pytest.mark.parametrize(
    ("trigger", "field", "problem", "allowed"),
    [
        ({"kind": "grade-below", "grade": "F"}, "grade", "nothing is below F", GRADES),
        ({"kind": "grade-below", "grade": "Z"}, "grade", "Z is not allowed as a grade to fall below", GRADES),
        ({"kind": "grade-below"}, "grade", "it is missing", GRADES),
        ({"kind": "expires-in-less-than", "days": 0}, "days", "0 is not allowed as a number of days", DAYS),
        ({"kind": "expires-in-less-than", "days": True}, "days", "true is not allowed as a number of days", DAYS),
        ({"kind": "expires-in-less-than"}, "days", "it is missing", DAYS),
        (
            {"kind": "expires-in-less-than", "days": 9, "share": 30},
            "share",
            "30 is not allowed as a share of the lifetime",
            SHARE,
        ),
        (
            {"kind": "protocol-below", "version": "TLS1.2"},
            "version",
            "TLS1.2 is not allowed as a version",
            "TLSv1.1, TLSv1.2 or TLSv1.3",
        ),
        (
            {"kind": "weak-key", "rsa_bits": 512},
            "rsa_bits",
            "512 is not allowed as a size of RSA keys",
            "a whole number from 1024 to 16384, e.g. 2048",
        ),
        ({"kind": "expires"}, "kind", "there is no trigger expires", f"one of {', '.join(KINDS)}"),
        ({"days": 3}, "kind", "it is missing", f"one of {', '.join(KINDS)}"),
        ({"kind": "unreachable", "for": 3}, "for", "unreachable has no field for", "only kind"),
    ],
)
def test_the_wrong_field_is_named_with_what_is_allowed(
    trigger: dict[str, Any], field: str, problem: str, allowed: str
) -> None:
    assert complaints(trigger) == [(f"trigger.{field}", problem, allowed)]


def test_two_wrong_parameters_are_both_told() -> None:
    fields = [field for field, _, _ in complaints({"kind": "expires-in-less-than", "days": -1, "share": 30})]
    assert fields == ["trigger.days", "trigger.share"]


def test_hostile_text_is_shown_harmlessly_and_briefly() -> None:
    [(_, problem, _)] = complaints({"kind": "grade-below", "grade": "\x1b[31m\u202e{problem}" + "x" * 5000})
    assert problem.isprintable()
    assert len(problem) < 200


@pytest.mark.parametrize("given", [None, [], "unreachable", 7, {"kind": None}, {"kind": ["unreachable"]}, {"kind": {}}])
def test_whatever_is_no_trigger_is_refused_with_what_is_allowed(given: Any) -> None:
    for field, problem, allowed in complaints(given):
        assert field.startswith("trigger")
        assert problem
        assert allowed


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda one: str(one.kind))
def test_every_trigger_of_the_events_can_be_asked_for(trigger: Trigger) -> None:
    assert TypeAdapter(AskedTrigger).validate_python(trigger.model_dump(mode="json")) == trigger
    assert trigger.kind in KINDS


def test_a_change_is_judged_like_a_new_rule() -> None:
    with pytest.raises(ValidationError, match="nothing is below F"):
        RulePatch.model_validate({"trigger": {"kind": "grade-below", "grade": "F"}})
