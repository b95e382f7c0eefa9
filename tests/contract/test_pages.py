"""Every page stands on the safety floor, and no template can write what was not escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from jinja2 import UndefinedError

from services.api.app import create_app, described
from services.api.web.floor import PageRoute
from services.api.web.pages import TEMPLATES, Pages
from tests.fakes.api_server import api_settings

MACHINES = {"/healthz", "/readyz", "/metrics"}
TEMPLATE_FILES = sorted(TEMPLATES.glob("*.html"))
HOSTILE = "\"'><script>alert(1)</script>"


def routes(tmp_path: Path) -> list[APIRoute]:
    app = create_app(api_settings("postgresql://127.0.0.1:1/none", tmp_path))
    return list(inside(app.routes))


def inside(listed: Iterable[object]) -> Iterator[APIRoute]:
    for route in listed:
        if isinstance(route, APIRoute):
            yield route
        router = getattr(route, "original_router", None)  # FastAPI keeps included routers whole
        if router is not None:
            yield from inside(router.routes)


def test_every_route_outside_the_api_is_a_page_and_none_inside_is(tmp_path: Path) -> None:
    found = routes(tmp_path)
    assert len(found) > 40
    for route in found:
        machines = route.path == "/api" or route.path.startswith("/api/") or route.path in MACHINES
        assert isinstance(route, PageRoute) is not machines, route.path


def test_pages_are_not_part_of_the_description_of_the_api(tmp_path: Path) -> None:
    pages = {route.path for route in routes(tmp_path) if isinstance(route, PageRoute)}
    assert len(pages) >= 10
    assert not pages & described()["paths"].keys()


@pytest.mark.parametrize("template", TEMPLATE_FILES, ids=lambda path: path.name)
def test_no_template_lets_text_through_unescaped(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape|Markup|<script|<style|\son\w+\s*=|\sstyle\s*=|javascript:", text)


@pytest.mark.parametrize("template", TEMPLATE_FILES, ids=lambda path: path.name)
def test_every_form_that_is_sent_carries_the_token(template: Path) -> None:
    for form in re.findall(r'<form method="post".*?</form>', template.read_text(encoding="utf-8"), re.DOTALL):
        assert "forms.token(csrf_token)" in form or 'name="csrf_token"' in form, form
    assert 'method="get"' not in template.read_text(encoding="utf-8")


def test_text_is_escaped_wherever_it_stands() -> None:
    page = Pages().show(
        "sign-in",
        {
            "session": None,
            "csrf_token": HOSTILE,
            "errors": {"email": HOSTILE},
            "next": HOSTILE,
            "email": HOSTILE,
            "notice": HOSTILE,
            "oidc_name": HOSTILE,
        },
    )
    body = bytes(page.body).decode()
    assert "<script" not in body and "&lt;script&gt;" in body
    assert not re.search(r'="[^"]*[<>][^"]*"', body)


def test_a_value_a_template_does_not_get_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        Pages().show("refusal", {"session": None, "csrf_token": ""})
