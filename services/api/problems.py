"""Every error is a problem document, and every problem document has one shape.

Source: RFC 9457 (application/problem+json). `type` is `urn:vigilo:problem:<name>`; a client switches on it, people read
`title` and `detail`. Validation problems list `errors`: where, what was wrong, what is allowed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from vigilo.events.text import visible

logger = logging.getLogger("vigilo.api")

MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:vigilo:problem:"
_SHOWN = 200
_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")


class FieldProblem(BaseModel):
    """One thing that is wrong with a request."""

    field: str = Field(description="Path of the field, dots between its parts", examples=["hostname"])
    location: str = Field(description="body, query, path or header", examples=["body"])
    problem: str = Field(description="What is wrong", examples=["it contains a space"])
    allowed: str = Field(description="What would be right", examples=["a host name such as www.example.com"])


class ProblemDocument(BaseModel):
    """An RFC 9457 problem. Some problems carry more members, such as the `host_id` of an existing host."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[f"{_TYPE}not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such host in this workspace."])
    instance: str = Field(examples=["/api/v1/workspaces/default/hosts/018f3e5c-0000-7000-8000-000000000001"])
    errors: list[FieldProblem] | None = None


class Problem(Exception):
    """Ends a request with that problem. `name` becomes the last part of `type`; `members` are added to the document."""

    def __init__(
        self,
        status: int,
        name: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(f"{status} {name}: {detail}")
        self.status = status
        self.name = name
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members


def not_found(what: str) -> Problem:
    """404. Also said of what belongs to another workspace: it is not told apart from what does not exist."""
    return Problem(404, "not-found", f"There is no such {what} in this workspace.")


def invalid(field: str, problem: str, allowed: str, *, location: str = "body") -> Problem:
    """422 for one field that a model could not judge alone."""
    return invalid_fields([FieldProblem(field=field, location=location, problem=problem, allowed=allowed)])


def invalid_fields(errors: Sequence[FieldProblem]) -> Problem:
    """422 naming each wrong field, what was wrong and what is allowed."""
    named = ", ".join(dict.fromkeys(error.field for error in errors))
    return Problem(422, "invalid", f"Not valid: {named}.", errors=[error.model_dump() for error in errors])


def answer(request: Request, problem: Problem) -> Response:
    """The response of a problem."""
    document = {
        "type": f"{_TYPE}{problem.name}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.url.path,
        **problem.members,
    }
    return JSONResponse(document, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """All errors of the app, ours and the framework's, answer with a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(request, error)

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, of_validation(error.errors(), error.body))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(request, of_http(error, allowed=_methods(request)))

    async def database(request: Request, error: Exception) -> Response:
        logger.warning("the database did not answer: %s", error)
        detail = "The database does not answer. Nothing was changed; try again."
        return answer(request, Problem(503, "database-unavailable", detail, headers={"Retry-After": "5"}))

    async def unexpected(request: Request, error: Exception) -> Response:
        logger.error("unexpected error at %s %s", request.method, request.url.path, exc_info=error)
        return answer(request, Problem(500, "internal-error", "Something went wrong on our side; it has been logged."))

    app.add_exception_handler(Problem, ours)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(psycopg.OperationalError, database)
    app.add_exception_handler(PoolTimeout, database)
    app.add_exception_handler(Exception, unexpected)


def _methods(request: Request) -> list[str]:
    # Starlette names only the methods of the first route with this path.
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    return [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]


def of_http(error: HTTPException, *, allowed: Sequence[str] = ()) -> Problem:
    """The framework's own errors: no such route, no such method."""
    if error.status_code == 404:
        return Problem(404, "not-found", "There is nothing at this address.")
    if error.status_code == 405:
        methods = ", ".join(allowed)
        return Problem(405, "method-not-allowed", f"Allowed here: {methods}.", headers={"Allow": methods})
    if error.status_code == 413:
        return Problem(413, "body-too-long", str(error.detail))
    name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return Problem(error.status_code, name, str(error.detail), headers=error.headers)


def of_validation(errors: Sequence[Mapping[str, Any]], body: object = None) -> Problem:
    """400 for what is not JSON, 404 for an id in the path that no id can be, else 422."""
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem(400, "not-json", "The body is not JSON.")
    if any(error["loc"][:1] == ("path",) for error in errors):
        return Problem(404, "not-found", "There is nothing at this address: the id in the path is not a UUID.")
    return invalid_fields([_field_problem(error, body) for error in errors])


def _field_problem(error: Mapping[str, Any], body: object) -> FieldProblem:
    location, *path = error["loc"]
    path = _without_kinds(path, body)
    if error["type"] in {"union_tag_not_found", "union_tag_invalid"}:
        path.append("kind")
    context = error.get("ctx") or {}
    return FieldProblem(
        field=".".join(visible(str(part), limit=_SHOWN) for part in path) or str(location),
        location=str(location),
        problem=visible(str(error["msg"]).removeprefix("Value error, "), limit=_SHOWN * 2),
        allowed=str(context.get("allowed") or _allowed(str(error["type"]), context)),
    )


def _without_kinds(path: Sequence[str | int], value: object) -> list[str | int]:
    """The path without the names of the kinds that pydantic chose on the way: they are no fields of the body."""
    kept: list[str | int] = []
    chosen = False
    for part in path:
        if isinstance(value, dict) and not chosen and part == value.get("kind"):
            chosen = True
            continue
        kept.append(part)
        chosen = False
        value = _member(value, part)
    return kept


def _member(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _allowed(kind: str, context: Mapping[str, Any]) -> str:
    if "expected" in context:
        return f"one of {context['expected']}"
    if "expected_tags" in context:
        return f"one of {context['expected_tags']}"
    bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for name, words in bounds.items():
        if name in context:
            return f"{words} {context[name]}"
    if "max_length" in context or "min_length" in context:
        return f"{context.get('min_length', 0)} to {context.get('max_length', 'many')} characters or items"
    if "pattern" in context:
        return f"text of the form {context['pattern']}"
    return _KINDS.get(kind, "see the API's description at /api/v1/openapi.json")


_KINDS: Final = {
    "missing": "this field must be given",
    "extra_forbidden": "only fields of the API's description",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "string_unicode": "valid Unicode text",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "uuid_parsing": "a UUID",
    "list_type": "a list",
    "tuple_type": "a list",
    "model_attributes_type": "a JSON object",
    "union_tag_not_found": "an object with the field `kind`",
}
