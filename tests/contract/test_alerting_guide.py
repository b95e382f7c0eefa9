"""The tables of docs/guides/alerting.md say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.vigilo.alerting.asked import every_trigger
from vigilo.alerting.confirmation import confirmation
from vigilo.alerting.triggers.meetings import MEETINGS
from vigilo.events.scans import Outcome

TEXT = (Path(__file__).parents[2] / "docs/guides/alerting.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", TEXT, re.MULTILINE)]


def test_every_trigger_has_its_row_with_its_parameters_and_confirmation() -> None:
    rows = {row[0].strip("`"): row for row in ROWS if len(row) == 5 and row[0].startswith("`")}
    triggers = {trigger.kind: trigger for trigger in every_trigger()}
    assert rows.keys() == triggers.keys()
    for kind, (_, _, _, parameters, confirmed) in rows.items():
        expected = confirmation(kind)
        assert confirmed == f"{expected.open_after} / {expected.close_after}", kind
        named = set(re.findall(r"`(\w+)`", parameters)) & type(triggers[kind]).model_fields.keys()
        assert named == type(triggers[kind]).model_fields.keys() - {"kind"}, kind


def test_every_outcome_is_in_the_table_with_its_two_answers() -> None:
    told = {
        outcome: (unreachable, not_tls)
        for outcomes, unreachable, not_tls in (row for row in ROWS if len(row) == 3)
        for outcome in re.findall(r"`([a-z-]+)`", outcomes)
    }
    assert told == {str(one): (str(MEETINGS[one].unreachable), str(MEETINGS[one].not_tls)) for one in Outcome}
