"""`make schemas`: everything in schemas/ that is generated, from the event models and the topic rows.

JSON Schemas of events, asyncapi.yaml, openapi.json, and the examples in their canonical form. `--check` writes
nothing and names what is stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from services.api.app import described
from services.api.openapi import rendered
from vigilo.adapters.kafka.topic_rows import SCHEMAS, Cleanup, Key, Service, TopicRow, load_rows
from vigilo.events.codec import UndecodableRecord, decode_value, encode_value
from vigilo.events.envelope import CONTENT_TYPE, SPEC_VERSION, Event
from vigilo.events.registry import TOPIC_MODELS

app = typer.Typer()

# Source: AsyncAPI 3.0.0; Kafka bindings 0.5.0.
_ASYNCAPI: Final = "3.0.0"
_KAFKA_BINDING: Final = "0.5.0"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_KEY_SCHEMAS: Final[Mapping[Key, dict[str, str]]] = {
    Key.HOSTNAME: {"type": "string", "description": "The target's hostname."},
    Key.AS_RECEIVED: {"type": "string", "description": "The key of the refused record, byte for byte."},
}


@app.command()
def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if something is stale.")] = False,
) -> None:
    """Write what schemas/ has that is generated."""
    wanted = generated(SCHEMAS)
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        typer.echo(f"{'stale' if check else 'wrote'} {path.relative_to(SCHEMAS.parent)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
    if check and stale:
        raise typer.Exit(1)


def generated(root: Path) -> dict[Path, str]:
    """Path and content of every generated file under `root`. Raises BadTopicRow, UndecodableRecord."""
    files = {root / "events" / schema_name(model): schema_text(model) for model in models()}
    files[root / "openapi.json"] = rendered(described())
    files[root / "asyncapi.yaml"] = asyncapi_text(load_rows(root / "topics"))
    files.update(_canonical_examples(root))
    return files


def models() -> list[type[Event]]:
    """Every event model once, by type name."""
    return sorted(set(TOPIC_MODELS.values()), key=lambda model: model.type_name)


def schema_name(model: type[Event]) -> str:
    """`<type_name>.v<version>.schema.json`."""
    return f"{model.type_name}.v{model.version_number}.schema.json"


def schema_id(model: type[Event]) -> str:
    """A name, not an address: nothing is fetched from it."""
    return f"urn:vigilo:event:{model.type_name}:v{model.version_number}"


def schema_text(model: type[Event]) -> str:
    """The JSON Schema of an event's value. Unknown fields are allowed: readers ignore them."""
    schema = {"$schema": _DIALECT, "$id": schema_id(model), **model.model_json_schema(mode="validation")}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def example_text(value: bytes, model: type[Event]) -> str:
    """An example as our encoder would write it, but readable. Raises UndecodableRecord."""
    event = decode_value(value, model)
    return json.dumps(json.loads(encode_value(event)), indent=2, ensure_ascii=False) + "\n"


def _canonical_examples(root: Path) -> Iterator[tuple[Path, str]]:
    for model in models():
        for path in sorted((root / "examples" / model.type_name / str(model.version_number)).glob("*.json")):
            try:
                yield path, example_text(path.read_bytes(), model)
            except UndecodableRecord as error:
                raise UndecodableRecord(error.reason, f"{path.relative_to(root)}: {error.detail}") from error


def asyncapi_text(rows: Mapping[str, TopicRow]) -> str:
    """The AsyncAPI document: changelogs left out, for they are nobody's interface."""
    public = {topic: row for topic, row in rows.items() if row.table is None}
    messages = {model.type_name: _message(model, public) for model in models()} | {"dead-letter": _dead_letter()}
    document = {
        "asyncapi": _ASYNCAPI,
        "info": {
            "title": "Vigilo",
            "version": "1",
            "description": "Topics of Vigilo by their logical names; an installation puts its prefix before them "
            "(`vigilo-` unless set). Values are JSON, attributes are CloudEvents 1.0 headers in binary mode.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic: _channel(row) for topic, row in public.items()},
        "operations": dict(_operations(public)),
        "components": {"messages": messages},
    }
    head = "# Generated from the event models and schemas/topics by `make schemas`.\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _channel(row: TopicRow) -> dict[str, Any]:
    message = row.event.type if row.event else "dead-letter"
    topic: dict[str, Any] = {"cleanup.policy": [str(row.cleanup)], "max.message.bytes": row.config["max.message.bytes"]}
    if row.cleanup is Cleanup.DELETE and row.retention == "forever":
        topic["retention.ms"] = -1
    binding = {"kafka": {"topic": row.topic, "topicConfiguration": topic, "bindingVersion": _KAFKA_BINDING}}
    return {
        "address": row.topic,
        "description": row.description + (" One pair per scanner pool." if row.per_pool else ""),
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": binding,
        "x-key": str(row.key),
        "x-retention": _retention_text(row),
        "x-partitions": row.partitions,
    }


def _retention_text(row: TopicRow) -> str:
    if row.cleanup is Cleanup.COMPACT:
        return "the last record of every key"
    if row.retention == "HISTORY":
        return "VIGILO_HISTORY (400 days unless set)"
    return "for ever" if row.retention == "forever" else f"{row.retention.days} days"


def _operations(rows: Mapping[str, TopicRow]) -> Iterator[tuple[str, dict[str, Any]]]:
    for topic, row in rows.items():
        for action, services in (("send", row.producers), ("receive", row.consumers)):
            for service in services:
                if service is not Service.OUTSIDE:
                    yield f"{service}.{action}.{topic}", {"action": action, "channel": {"$ref": f"#/channels/{topic}"}}


def _message(model: type[Event], rows: Mapping[str, TopicRow]) -> dict[str, Any]:
    key = next(row.key for row in rows.values() if row.event is not None and row.event.type == model.type_name)
    return {
        "name": model.ce_type(),
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": CONTENT_TYPE,
        "headers": _headers_schema(model),
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": _schema_ref(model)},
        "bindings": {"kafka": {"key": _key_schema(key), "bindingVersion": _KAFKA_BINDING}},
    }


def _schema_ref(model: type[Event]) -> dict[str, str]:
    return {"$ref": f"./events/{schema_name(model)}"}


def _key_schema(key: Key) -> dict[str, str]:
    return _KEY_SCHEMAS.get(key, {"type": "string", "format": "uuid", "description": f"{key}, lower-case canonical"})


def _headers_schema(model: type[Event]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": SPEC_VERSION},
            "ce_id": {"type": "string", "format": "uuid", "description": "Derived: a repeat carries the same id."},
            "ce_source": {"type": "string"},
            "ce_type": {"const": model.ce_type()},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_subject": {"type": "string", "description": "The record's key."},
            "content-type": {"const": CONTENT_TYPE},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
        },
    }


def _dead_letter() -> dict[str, Any]:
    parts = ("reason", "detail", "topic", "partition", "offset", "service", "time")
    return {
        "name": "dead-letter",
        "title": "Dead letter",
        "summary": "A record nobody could use, as received, with headers that say why.",
        "headers": {"type": "object", "properties": {f"vigilo_dlq_{part}": {"type": "string"} for part in parts}},
        "payload": {"description": "Any bytes."},
        "bindings": {"kafka": {"key": _key_schema(Key.AS_RECEIVED), "bindingVersion": _KAFKA_BINDING}},
    }


if __name__ == "__main__":
    app()
