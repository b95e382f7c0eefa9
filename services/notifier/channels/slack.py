"""Slack: an incoming webhook that takes Block Kit.

Limits: Slack, "Block Kit: blocks" (header 150, section 3000, ten fields of 2000, fifty blocks) and slackapi/bolt-js
issue 2509 (whole messages of some 13,000 characters are refused). Answers: Slack, "Changes to errors for incoming
webhooks".

What others wrote stands in `plain_text` alone: there `*`, `_`, `~` and backticks are letters like others, and with
`& < >` written as entities nothing in it is a mention or a link. Only our own links are `mrkdwn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from services.notifier.channels.shrinking import encoded
from services.notifier.channels.webhook import USER_AGENT
from services.notifier.channels.wording import Fact, Link, Wording, moment, worded
from services.notifier.delivery import MISCONFIGURED, Answer, Attempt
from services.notifier.http import HttpPoster
from services.notifier.tellings import Telling
from vigilo.adapters.channel_credentials import SlackCredentials
from vigilo.events.rules import Severity

HEADER_MAX: Final = 150
SECTION_MAX: Final = 3000
FIELDS_MAX: Final = 10
MESSAGE_MAX: Final = 12_000  # of about 13,000: an escape may count for more than it shows
FALLBACK_MAX: Final = 500
_LINES_PER_SECTION: Final = 5
_URL_MAX: Final = 700
# Characters of one text: the first that makes the message small enough is taken.
_LIMITS: Final = (512, 256, 128, 64, 32)
_ELLIPSIS: Final = "…"
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Colours are for the eye; the word beside them says the same.
_CALM: Final = "✅"
_MARKS: Final = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
_GONE: Final = (404, 410)
# Answers of status 400 or 403 that any other message would get as well, until somebody does something about it.
_OF_THE_CHANNEL: Final = frozenset(
    {
        "invalid_token",
        "no_service",
        "no_service_id",
        "no_active_hooks",
        "no_team",
        "team_disabled",
        "user_not_found",
        "channel_not_found",
        "channel_is_archived",
        "action_prohibited",
        "posting_to_general_channel_denied",
    }
)


class SlackChannel:
    """Posts messages."""

    def __init__(self, poster: HttpPoster, *, public_url: str) -> None:
        self._poster = poster
        self._public_url = public_url

    async def send(self, credentials: bytes, telling: Telling, *, delivery_id: UUID) -> Attempt:
        """One attempt. Slack knows no ids: a lost answer means the message may show twice."""
        try:
            opened = SlackCredentials.model_validate_json(credentials)
        except ValidationError:
            return MISCONFIGURED
        body = encoded(render(telling, public_url=self._public_url))
        headers = {"content-type": "application/json; charset=utf-8", "user-agent": USER_AGENT}
        return await self._poster.post(opened.url, body, headers, meaning=answer_of)


def answer_of(http_status: int, said: bytes) -> Answer:
    """200 = posted. 404, 410, and 400 or 403 with a word about the webhook or its channel (`invalid_token`: it was
    revoked) close the channel; any other 400 is about the message; everything else is tried again.
    """
    if http_status == 200:
        return Answer.ACCEPTED
    of_the_channel = said.decode("ascii", "replace").strip() in _OF_THE_CHANNEL
    if http_status in _GONE or (http_status in (400, 403) and of_the_channel):
        return Answer.GONE
    return Answer.INVALID if http_status == 400 else Answer.REJECTED


def render(telling: Telling, *, public_url: str) -> dict[str, Any]:
    """The message: what a notification shows, then blocks. Texts are cut until all of it fits."""
    words = worded(telling, public_url=public_url)
    message: dict[str, Any] = {}
    for limit in _LIMITS:
        message = {"text": escaped(words.subject, limit=FALLBACK_MAX), "blocks": list(_blocks(words, limit))}
        if len(encoded(message).decode("utf-8")) <= MESSAGE_MAX:
            break
    return message


def _blocks(words: Wording, limit: int) -> Iterable[dict[str, Any]]:
    mark = _CALM if words.calm else _MARKS[words.severity]
    yield {"type": "header", "text": _plain(f"{mark} {words.tag} {words.headline}", limit=HEADER_MAX)}
    if len(words.headline) + len(words.tag) > HEADER_MAX // 2:
        yield {"type": "section", "text": _plain(words.headline, limit=3 * limit)}
    if words.text:
        yield {"type": "section", "text": _plain(words.text, limit=4 * limit)}
    for some in _batches(words.facts, FIELDS_MAX):
        yield {"type": "section", "fields": [_field(fact, limit) for fact in some]}
    for lines in _batches(words.lines, _LINES_PER_SECTION):
        yield {"type": "section", "text": _plain("\n".join(_line(one, limit) for one in lines), limit=SECTION_MAX)}
    if words.more:
        yield {"type": "section", "text": _plain(f"… and {words.more:,} more", limit=SECTION_MAX)}
    if links := _links(words.safe_links):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": links, "verbatim": True}}
    yield {"type": "context", "elements": [_plain(f"Vigilo, {moment(words.at)}", limit=100)]}


def _line(text: str, limit: int) -> str:
    return f"• {text if len(text) <= limit else text[: limit - 1] + _ELLIPSIS}"


def _field(fact: Fact, limit: int) -> dict[str, Any]:
    return _plain(f"{fact.label}\n{fact.value}", limit=limit + len(fact.label))


def _plain(text: str, *, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped(text, limit=limit), "emoji": False}


def _links(links: Sequence[Link]) -> str:
    """Links with our own words. Nothing in a checked URL can end the link: `< > |` are percent-encoded there."""
    urls = [(escaped(link.url, limit=SECTION_MAX), link.text) for link in links]
    return " · ".join(f"<{url}|{text}>" for url, text in urls if len(url) <= _URL_MAX)


def escaped(text: str, *, limit: int) -> str:
    """The text with `& < >` as entities, at most `limit` characters of them, never cut inside one; never empty."""
    parts = [_ENTITIES.get(char, char) for char in text]
    if sum(map(len, parts)) > limit:
        room, kept = limit - len(_ELLIPSIS), 0
        for count, part in enumerate(parts):
            kept += len(part)
            if kept > room:
                parts = [*parts[:count], _ELLIPSIS]
                break
    return "".join(parts) or _ELLIPSIS


def _batches(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
