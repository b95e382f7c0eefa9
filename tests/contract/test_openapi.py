"""The description of the REST API: whole, consistent with itself, and the one that is committed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.api.app import described
from services.api.openapi import rendered
from vigilo.adapters.kafka.topic_rows import SCHEMAS

DOCUMENT = described()
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS & set(item):
            yield method, path, item[method]


OPERATIONS = [pytest.param(path, method, one, id=f"{method} {path}") for method, path, one in operations()]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_committed_description_is_that_of_the_code() -> None:
    committed = (SCHEMAS / "openapi.json").read_text(encoding="utf-8")
    assert committed == rendered(DOCUMENT), "stale: run `make schemas`"


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, f"{reference} leads nowhere"
            node = node[part]


def test_every_schema_is_a_schema_and_its_examples_are_examples_of_it() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        whole = {**schema, "components": DOCUMENT["components"]}
        for example in schema.get("examples", ()):
            errors = list(Draft202012Validator(whole).iter_errors(example))
            assert not errors, f"{name}: {errors[0].message}"


def test_names_of_operations_are_unique() -> None:
    names = [one["operationId"] for _, _, one in operations()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_operation_says_what_it_does_who_may_and_how_it_fails(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"] and operation["description"] and operation["tags"]
    assert operation["security"] == [{"token": []}]
    responses = operation["responses"]
    assert {"401", "404"} <= set(responses)
    for status, response in responses.items():
        assert response["description"]
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"], f"{method} {path} {status}"
    assert any(int(status) < 300 for status in responses)


@pytest.mark.parametrize(("path", "method", "operation"), [case for case in OPERATIONS if case.values[1] == "post"])
def test_a_body_that_is_sent_has_an_example(path: str, method: str, operation: dict[str, Any]) -> None:
    if "requestBody" not in operation:
        return
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    for one in body.get("oneOf", [body]):  # one model per kind
        schema = DOCUMENT["components"]["schemas"][one["$ref"].rsplit("/", 1)[1]]
        assert schema["examples"], f"{method} {path}"


def test_no_secret_is_shown_but_once() -> None:
    showing = {
        name
        for name, schema in DOCUMENT["components"]["schemas"].items()
        if "secret" in schema.get("properties", {}) and not name.endswith(("ToAdd", "Patch"))
    }
    assert showing == {"ChannelAdded"}
