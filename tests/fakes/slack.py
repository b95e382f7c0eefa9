"""An incoming webhook of Slack's that judges messages by the published limits.

Sources: Slack, "Block Kit: blocks" (header, section, context), "Text object", "Formatting message text" (escaping), and
"Improving error conditions for Incoming Webhooks".
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.http_server import serving

BLOCKS_MAX = 50
HEADER_MAX = 150
TEXT_MAX = 3000
FIELDS_MAX = 10
FIELD_MAX = 2000
CONTEXT_MAX = 10
MESSAGE_MAX = 13_000
FALLBACK_MAX = 40_000
_PATH = "/services/T000/B000/XXXX"
_ENTITY = re.compile(r"&(amp|lt|gt);")
_LINK = re.compile(r"<(https?://[^<>|\s]+)\|([^<>|]+)>")


def texts(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(type, text) of every text object; the fallback counts as mrkdwn, which it is."""
    yield "mrkdwn", message.get("text", "")
    for block in message.get("blocks", []):
        for one in [block.get("text"), *block.get("fields", []), *block.get("elements", [])]:
            if one is not None:
                yield one["type"], one["text"]


def faults_of(message: dict[str, Any]) -> list[str]:
    """What Slack would refuse, or cut."""
    faults: list[str] = []
    if not message.get("text") or len(message["text"]) > FALLBACK_MAX:
        faults.append("text")
    blocks = message.get("blocks", [])
    if not 1 <= len(blocks) <= BLOCKS_MAX:
        faults.append(f"{len(blocks)} blocks")
    if len(json.dumps(message, ensure_ascii=False)) > MESSAGE_MAX:
        faults.append("msg_blocks_too_long")
    for block in blocks:
        faults += _block_faults(block)
    return faults


def _block_faults(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield from _text_faults(block["text"], HEADER_MAX, only="plain_text")
        case "section":
            if "text" not in block and not block.get("fields"):
                yield "a section with neither text nor fields"
            if "text" in block:
                yield from _text_faults(block["text"], TEXT_MAX)
            if len(block.get("fields", [])) > FIELDS_MAX:
                yield "too many fields"
            for one in block.get("fields", []):
                yield from _text_faults(one, FIELD_MAX)
        case "context":
            if not 1 <= len(block["elements"]) <= CONTEXT_MAX:
                yield "context elements"
            for one in block["elements"]:
                yield from _text_faults(one, TEXT_MAX)
        case other:
            yield f"unexpected block {other}"


def _text_faults(one: dict[str, Any], limit: int, *, only: str | None = None) -> Iterator[str]:
    allowed = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
    if one["type"] not in allowed or (only is not None and one["type"] != only):
        yield f"text object of type {one['type']}"
    elif one.keys() - allowed[one["type"]]:
        yield "text object with unknown fields"
    if not 1 <= len(one["text"]) <= limit:
        yield f"text of {len(one['text'])} characters where {limit} are allowed"


def control_sequences(text: str) -> list[str]:
    """What Slack would read as more than letters: anything in angle brackets, and ampersands that are no entity."""
    found = re.findall(r"<[^>]*>?", text)
    return found + (["&"] if "&" in _ENTITY.sub("", text) else [])


def links(text: str) -> list[tuple[str, str]]:
    """(url, text) of the links in a mrkdwn text."""
    return _LINK.findall(text)


@dataclass
class Slack:
    """The fake as it runs. `status` other than 200 is what every request gets."""

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)
    status: int = 200
    word: str = "ok"
    retry_after: str | None = None


@asynccontextmanager
async def slack() -> AsyncIterator[Slack]:
    """An incoming webhook that listens on loopback for as long as the block lasts."""
    fake = Slack()

    async def take(request: web.Request) -> web.Response:
        if fake.status != 200:
            headers = {} if fake.retry_after is None else {"Retry-After": fake.retry_after}
            return web.Response(status=fake.status, text=fake.word, headers=headers)
        message = json.loads(await request.read())
        if faults := faults_of(message):
            fake.refused.append(faults)
            return web.Response(status=400, text="invalid_blocks")
        fake.messages.append(message)
        return web.Response(text="ok")

    async with serving({_PATH: take}) as base:
        fake.url = base + _PATH
        yield fake
