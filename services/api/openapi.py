"""The description of the API: problems of every route, entity tags, one security scheme.

`make schemas` writes it to schemas/openapi.json; a test fails when that file is stale.
"""

from __future__ import annotations

import json
from typing import Any, Final

from services.api.problems import MEDIA_TYPE, ProblemDocument

BASE: Final = "/api/v1/workspaces/{workspace}"

Responses = dict[int | str, dict[str, Any]]

_REF: Final = "#/components/schemas/"
_MEANINGS: Final = {
    400: "Not a request this API understands",
    401: "No token, or not a good one",
    403: "The token's role does not allow this",
    404: "There is no such thing in this workspace",
    409: "It does not fit what is there",
    413: "The body is too long",
    412: "Changed since you saw it (If-Match)",
    422: "A field is not valid; `errors` names it, what is wrong and what is allowed",
    429: "You have too many of these open; close one, or wait",
    503: "Something this needs does not answer; try again",
}


def problems(*statuses: int) -> Responses:
    """The problems a route may answer with, besides those every route has."""
    return {status: _problem(_MEANINGS[status]) for status in sorted({401, 403, 404, *statuses})}


def with_etag(description: str) -> dict[str, Any]:
    """An answer that names its version."""
    return {
        "description": description,
        "headers": {"ETag": {"description": "The version, for If-Match", "schema": {"type": "string"}}},
    }


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": _REF + "ProblemDocument"}}}}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with our problems wherever it announces its own validation errors."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template=_REF + "{model}")
    schemas.update(problem.pop("$defs"))
    schemas["ProblemDocument"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _not_null(parameter["schema"])
            for status in _always(operation):
                operation["responses"].setdefault(str(status), _problem(_MEANINGS[status]))
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                operation["responses"]["422"] = _problem(_MEANINGS[422])
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return document


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter, which may be left out but has no way to say null."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if not kinds:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def _always(operation: dict[str, Any]) -> set[int]:
    """The problems of what a request carries, whatever the route does with it."""
    statuses: set[int] = set()
    if any(parameter["name"].lower() == "idempotency-key" for parameter in operation.get("parameters", ())):
        statuses |= {400, 409, 412, 422}
    if "requestBody" in operation:
        statuses |= {400, 413, 422}
    return statuses


def rendered(document: dict[str, Any]) -> str:
    """The document as the committed file has it."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
