"""Which functions take bytes, by their annotations."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOMS = ("vigilo/tls", "services/scanner")


def functions_that_take_bytes() -> Iterator[str]:
    """`module:name` of every public function and method of ROOMS with an argument made of bytes."""
    for path in sorted(path for room in ROOMS for path in Path(room).rglob("*.py")):
        module = ".".join(path.with_suffix("").parts)
        yield from (f"{module}:{name}" for name in _taking_bytes(ast.parse(path.read_text()).body, ""))


def _taking_bytes(body: Sequence[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _taking_bytes(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if any("bytes" in ast.unparse(one.annotation) for one in arguments if one.annotation is not None):
                yield prefix + node.name
