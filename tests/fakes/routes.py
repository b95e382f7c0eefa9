"""All routes of the app, and the permission each one names."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from services.api.app import create_app
from services.api.permissions import Permission
from services.api.reading import ReaderFor
from tests.fakes.api_client import api_settings
from vigilo.adapters.settings import KafkaSettings


@dataclass(frozen=True)
class Address:
    """One method of one path, and the permissions its handler names."""

    method: str
    path: str
    permissions: frozenset[Permission]


def idle_app() -> FastAPI:
    """The whole app, wired and not started: it needs no server."""
    return create_app(api_settings("postgresql://nowhere.invalid/x", KafkaSettings()))


def addresses(app: FastAPI) -> list[Address]:
    """Every address of the app. Raises TypeError for a route of a kind this walk does not know."""
    return [
        Address(
            method,
            route.path_format,
            frozenset(_read_permissions(route.dependant)) | frozenset(_written_permissions(route)),
        )
        for route in _routes(app.routes)
        for method in sorted(route.methods or ())
    ]


def _routes(routes: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        # FastAPI keeps an included router whole.
        inner = getattr(route, "original_router", None)
        if isinstance(inner, APIRouter):
            yield from _routes(inner.routes)
        elif isinstance(route, APIRoute):
            yield route
        else:
            raise TypeError(f"a route that nobody looks into: {route!r}")


def _read_permissions(dependant: Dependant) -> Iterator[Permission]:
    if isinstance(dependant.call, ReaderFor):
        yield dependant.call.permission
    for inner in dependant.dependencies:
        yield from _read_permissions(inner)


def _written_permissions(route: APIRoute) -> Iterator[Permission]:
    # `Permission.X` in the handler's own text, as in `writing.once(Permission.X, effect)`.
    tree = ast.parse(textwrap.dedent(inspect.getsource(route.endpoint)))
    function = tree.body[0]
    assert isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef)
    for statement in function.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Permission":
                yield Permission[node.attr]
