"""Who reads and writes which topic: the rows, the services' cards and the processors say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import services
from services.alerter.decide import Alerter
from services.grader.decide import GraderProcessor
from services.scheduler.decide import Scheduler
from vigilo.adapters.kafka.topic_rows import Service, load_rows
from vigilo_cli.flow import BEGIN, END, dataflow, service_table, with_table

ROWS = load_rows()
CARDS = {path.parent.name: path for path in Path(services.__path__[0]).glob("*/__init__.py")}
PROCESSORS = [Alerter, GraderProcessor, Scheduler]


def card_topics(service: str, line: str) -> set[str]:
    """The topics that a service's card names after `Consumes:` or `Produces:`."""
    card = ast.get_docstring(ast.parse(CARDS[service].read_text())) or ""
    found = re.search(rf"^{line}:(.*?)(?=^\w|\Z)", card, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"[a-z]+(?:-[a-z]+)*", found[1])) & set(ROWS) if found else set()


@pytest.mark.parametrize("service", sorted(CARDS))
def test_a_card_names_only_what_the_rows_allow(service: str) -> None:
    as_names = {Service(service)} | ({Service.PROJECTOR} if service == "api" else set())
    for topic in card_topics(service, "Consumes"):
        assert as_names & set(ROWS[topic].consumers), f"{service} reads {topic}"
    for topic in card_topics(service, "Produces"):
        assert as_names & set(ROWS[topic].producers), f"{service} writes {topic}"


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda one: one.__name__)
def test_a_processors_inputs_tables_and_wakeups_have_their_rows(
    processor: type[Alerter | GraderProcessor | Scheduler],
) -> None:
    service = Service(processor.service)
    for topic, model in processor.inputs.items():
        assert service in ROWS[topic].consumers
        assert ROWS[topic].partitions == "host-keyed"
        event = ROWS[topic].event
        assert event is not None
        assert event.type == model.type_name
    tables = {row.table.name: row.table.role for row in ROWS.values() if row.table and row.table.service is service}
    assert tables == {processor.table: "guard", **dict.fromkeys(processor.side_models, "side")}
    if processor.wakeups_topic is not None:
        assert service in ROWS[processor.wakeups_topic].producers


def test_the_picture_has_every_public_topic_and_no_changelog() -> None:
    picture = dataflow(ROWS).split("```")[1]
    assert "scheduler --> scan_requested_now_topic" in picture
    assert "snapshots_topic --> grader" in picture
    assert "changelog" not in picture


def test_the_table_lists_what_a_service_reads_and_writes() -> None:
    (grader,) = [line for line in service_table(ROWS).splitlines() if line.startswith("| grader |")]
    assert grader == "| grader | `snapshots`, `workspace-settings` | `certificate-changes`, `report-cards` |"


def test_only_the_part_between_the_marks_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_table(document, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(ValueError, match="marks are missing"):
        with_table("no marks", "new")
