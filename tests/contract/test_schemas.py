"""What schemas/ says is what the code does: fresh, complete, nothing orphaned, every example real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from vigilo.adapters.kafka.topic_rows import SCHEMAS, load_rows
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import TrustReason
from vigilo.events.codec import decode_value, encode_value
from vigilo.events.deliveries import DeliveryCommandKind, DeliveryStatus
from vigilo.events.envelope import Event
from vigilo.events.hosts import HostCommandKind, HostStatus
from vigilo.events.registry import TOPIC_MODELS
from vigilo.events.rules import ChannelKind, RecordStatus
from vigilo.events.scans import Depth, Outcome, ScanReason
from vigilo_cli import flow, schemas

EXAMPLES = sorted((SCHEMAS / "examples").rglob("*.json"))
MODELS = {model.type_name: model for model in schemas.models()}

# Each of these must be shown by an example: every member of an enumeration, or every listed value.
VARIANTS: list[tuple[str, str, type[StrEnum] | tuple[str, ...]]] = [
    ("host", "status", HostStatus),
    ("host-command", "kind", HostCommandKind),
    ("scan-requested", "reason", ScanReason),
    ("scan-requested", "depth", Depth),
    ("snapshot", "outcome", Outcome),
    ("report-card", "outcome", Outcome),
    ("report-card", "chain_reason", TrustReason),
    ("alert-rule", "trigger.kind", ("expires-in-less-than", "chain-validation-fails")),
    ("alert-rule", "scope.kind", ("all", "tag", "host")),
    ("alert-rule", "status", RecordStatus),
    ("channel", "kind", ChannelKind),
    ("channel", "status", RecordStatus),
    ("snooze", "status", RecordStatus),
    ("work-item", "kind", ("change", "incident", "asset", "other")),
    ("work-item", "status", RecordStatus),
    ("alert-transition", "kind", TransitionKind),
    ("alert-transition", "close_reason", CloseReason),
    ("delivery", "status", DeliveryStatus),
    ("delivery-command", "kind", DeliveryCommandKind),
]


def model_of(example: Path) -> type[Event]:
    return MODELS[example.parts[-3]]


def name_of(example: Path) -> str:
    return "/".join(example.parts[-3:])


def schema_of(model: type[Event]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / "events" / schemas.schema_name(model)).read_text())
    return loaded


def test_everything_generated_is_fresh() -> None:
    """Stale? `make schemas flow`, and look at the difference before committing it."""
    wanted = schemas.generated(SCHEMAS) | flow.generated(SCHEMAS.parent)
    stale = [str(path) for path, text in wanted.items() if not path.is_file() or path.read_text() != text]
    assert stale == []


def test_no_schema_is_left_over() -> None:
    expected = {schemas.schema_name(model) for model in MODELS.values()}
    assert {path.name for path in (SCHEMAS / "events").iterdir()} == expected


def test_no_example_is_left_over() -> None:
    allowed = {(model.type_name, str(model.version_number)) for model in MODELS.values()}
    assert {tuple(path.parts[-3:-1]) for path in EXAMPLES} == allowed
    everything = {path for path in (SCHEMAS / "examples").rglob("*") if path.is_file()}
    assert everything == set(EXAMPLES)


def test_no_row_is_left_over() -> None:
    rows = load_rows()
    assert {topic for topic, row in rows.items() if row.event is not None} == set(TOPIC_MODELS)
    assert {path.suffix for path in (SCHEMAS / "topics").iterdir()} == {".yaml"}


def test_every_topic_of_the_design_has_a_row() -> None:
    assert set(load_rows()) == {
        *("hosts", "host-commands", "workspace-settings", "alert-rules", "snoozes", "channels", "delivery-commands"),
        *("scan-requested", "scan-requested-now", "snapshots", "report-cards", "certificate-changes", "alerts"),
        *("deliveries", "work-items", "audit", "scheduler-wakeups", "alerter-wakeups", "dead-letters"),
        *("scheduler-schedules-changelog", "scheduler-hosts-changelog"),
        *("grader-grades-changelog", "grader-chains-changelog"),
        *("alerter-alerts-changelog", "alerter-facts-changelog"),
    }


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_names_follow_from_the_class(model: type[Event]) -> None:
    kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", model.__name__).lower()
    assert model.type_name == kebab
    assert model.ce_type() == f"vigilo.{kebab}.v{model.version_number}"
    schema = schema_of(model)
    assert schema["$id"] == f"urn:vigilo:event:{kebab}:v{model.version_number}"
    assert schema["title"] == model.__name__
    assert (SCHEMAS / "examples" / kebab / str(model.version_number)).is_dir()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_schema_is_one_and_lets_unknown_fields_through(model: type[Event]) -> None:
    schema = schema_of(model)
    Draft202012Validator.check_schema(schema)
    assert "additionalProperties" not in schema
    assert schema["description"]


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_every_example_validates_decodes_and_encodes_equal(example: Path) -> None:
    model = model_of(example)
    value = json.loads(example.read_text())
    Draft202012Validator(schema_of(model)).validate(value)
    event = decode_value(example.read_bytes(), model)
    assert json.loads(encode_value(event)) == value
    assert decode_value(encode_value(event), model) == event


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_readers_ignore_fields_they_do_not_know(example: Path) -> None:
    model = model_of(example)
    value = json.loads(example.read_text())
    later = json.dumps({**value, "added_in_a_later_version": {"x": 1}}).encode()
    assert decode_value(later, model) == decode_value(example.read_bytes(), model)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_schema_and_model_refuse_the_same_missing_fields(model: type[Event]) -> None:
    example = next(path for path in EXAMPLES if model_of(path) is model)
    value = json.loads(example.read_text())
    validator = Draft202012Validator(schema_of(model))
    for field, info in model.model_fields.items():
        less = {name: part for name, part in value.items() if name != field}
        assert validator.is_valid(less) == (not info.is_required()), field


@pytest.mark.parametrize(("type_name", "field", "wanted"), VARIANTS, ids=lambda part: str(part)[:40])
def test_every_variant_is_shown_by_an_example(
    type_name: str, field: str, wanted: type[StrEnum] | tuple[str, ...]
) -> None:
    shown = set(_values(type_name, field))
    assert {str(one) for one in wanted} <= shown


def _values(type_name: str, field: str) -> Iterator[str]:
    for example in EXAMPLES:
        value = json.loads(example.read_text())
        if example.parts[-3] == type_name:
            for part in field.split("."):
                value = value.get(part, {})
            if isinstance(value, str):
                yield value


def test_every_reference_in_asyncapi_leads_somewhere() -> None:
    document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"
    for reference in _references(document):
        if reference.startswith("#/"):
            target: Any = document
            for part in reference[2:].split("/"):
                target = target[part]
        else:
            assert (SCHEMAS / reference).is_file(), reference


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def test_every_public_topic_is_in_asyncapi_with_its_writers_and_readers() -> None:
    document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text())
    rows = {topic: row for topic, row in load_rows().items() if row.table is None}
    assert set(document["channels"]) == set(rows)
    assert "grader.receive.snapshots" in document["operations"]
    assert "grader.send.report-cards" in document["operations"]
    assert {channel["bindings"]["kafka"]["bindingVersion"] for channel in document["channels"].values()} == {"0.5.0"}
