"""The description of the API: problems of every route, entity tags, one security scheme; and where it is kept.

`python -m services.api.openapi` prints it; schemas/openapi.json is that output, and a test fails when it is stale.
"""

from __future__ import annotations

import json
import sys
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
    412: "Changed since you saw it (If-Match)",
    422: "A field is not valid; `errors` names it, what is wrong and what is allowed",
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
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                operation["responses"]["422"] = _problem(_MEANINGS[422])
            operation["responses"] = dict(sorted(operation["responses"].items()))
    return document


def rendered(document: dict[str, Any]) -> str:
    """The document as the committed file has it."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Prints the description of this code's API."""
    from services.api.app import described

    sys.stdout.write(rendered(described()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
