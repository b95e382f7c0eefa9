"""The tables of docs/guides/alerting.md say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.vigilo.alerting.asked import every_trigger
from vigilo.alerting.confirmation import confirmation
from vigilo.alerting.triggers.meetings import MEETINGS
from vigilo.events.scans import Outcome
from vigilo.events.triggers import Trigger

TEXT = (Path(__file__).parents[2] / "docs/guides/alerting.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The table rows below that heading, down to the next one."""
    section = TEXT.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    found = re.findall(r"^\|.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found if "`" in row]


def test_every_trigger_has_its_row_with_its_parameters_and_confirmation() -> None:
    told = {row[0].strip("`"): row for row in rows("## Triggers")}
    triggers: dict[str, Trigger] = {trigger.kind: trigger for trigger in every_trigger()}
    assert told.keys() == triggers.keys()
    for kind, (_, _, _, parameters, confirmed) in told.items():
        expected = confirmation(kind)
        assert confirmed == f"{expected.open_after} / {expected.close_after}", kind
        named = set(re.findall(r"`(\w+)`", parameters)) & type(triggers[kind]).model_fields.keys()
        assert named == type(triggers[kind]).model_fields.keys() - {"kind"}, kind


def test_every_outcome_is_in_the_table_with_its_two_answers() -> None:
    told = {
        outcome: (unreachable, not_tls)
        for outcomes, unreachable, not_tls in rows("### Unreachable or not TLS")
        for outcome in re.findall(r"`([a-z-]+)`", outcomes)
    }
    assert told == {str(one): (str(MEETINGS[one].unreachable), str(MEETINGS[one].not_tls)) for one in Outcome}
