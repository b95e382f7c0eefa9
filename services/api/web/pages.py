"""Templates to HTML: autoescaping is always on, and a name a template does not get is an error, not an empty text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """The templates of one running app."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def show(self, template: str, values: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
        """The page `<template>.html` with these values."""
        return HTMLResponse(self._templates.get_template(f"{template}.html").render(values), status)
