"""The API's description for people: one page without scripts and without anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

# Nothing is loaded, nothing runs; the page's own style is the one exception.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1e21 }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccd } details { margin: .6rem 0 } summary { cursor: pointer }
code, pre { font: 14px/1.45 ui-monospace, monospace } pre { background: #f4f5f7; padding: .8rem; overflow-x: auto }
.method { display: inline-block; width: 4.5rem; font-weight: 600 }
td, th { text-align: left; padding: .1rem 1rem .1rem 0 }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e4e6ea } pre { background: #23262c } }
"""
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def page(document: Mapping[str, Any]) -> str:
    """The page that shows this OpenAPI document."""
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>"
        '<p>The same for machines: <a href="openapi.json">openapi.json</a>.</p>'
        f"{''.join(_sections(document))}</html>"
    )


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    section = None
    for path, operations in sorted(document["paths"].items(), key=lambda item: (_tag(item[1]), item[0])):
        if _tag(operations) != section:
            section = _tag(operations)
            yield f"<h2>{escape(section)}</h2>"
        for method in _METHODS:
            if method in operations:
                yield _operation(document, path, method, operations[method])


def _tag(operations: Mapping[str, Any]) -> str:
    return str(next(iter(operations.values())).get("tags", ["system"])[0])


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> str:
    return (
        f'<details><summary><span class="method">{method.upper()}</span> <code>{escape(path)}</code></summary>'
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>"
        f"{_parameters(operation)}{_body(document, operation)}{_responses(operation)}</details>"
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(one['name'])}</code><td>{escape(one['in'])}<td>{escape(one.get('description', ''))}"
        for one in operation.get("parameters", ())
    ]
    return f"<table><tr><th>Parameter<th>In<th>Meaning{''.join(rows)}</table>" if rows else ""


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return ""
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    rows = [
        f"<tr><td><code>{escape(name)}</code><td>{'required' if name in schema.get('required', ()) else ''}"
        f"<td>{escape(field.get('description', ''))}"
        for name, field in schema.get("properties", {}).items()
    ]
    examples = [f"<pre>{escape(json.dumps(one, indent=2))}</pre>" for one in schema.get("examples", ())]
    return f"<table><tr><th>Field<th><th>Meaning{''.join(rows)}</table>{''.join(examples)}"


def _responses(operation: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td>{escape(str(status))}<td>{escape(one.get('description', ''))}"
        for status, one in sorted(operation.get("responses", {}).items())
    ]
    return f"<table><tr><th>Status<th>Meaning{''.join(rows)}</table>"
