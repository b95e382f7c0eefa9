"""`vigilo dlq`: look at the records nobody could use."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated

import typer

from vigilo.adapters.kafka.deadletters import DeadLetter, position_of, read_dead_letters
from vigilo.adapters.kafka.records import ConsumerBroken
from vigilo.adapters.kafka.topics import TopicsUnusable, missing_topics
from vigilo.adapters.settings import BadSettings, KafkaSettings, read
from vigilo.events.text import visible
from vigilo.ports.deadletters import DEAD_LETTERS_TOPIC

app = typer.Typer(name="dlq", help="Records nobody could use.", no_args_is_help=True)

_VALUE_LIMIT = 64 * 1024
_POSITION = re.compile(r"(?P<topic>[a-z0-9-]+)/(?P<partition>\d+)/(?P<offset>\d+)")

Timeout = Annotated[float, typer.Option(help="Give up after so many seconds.")]


@app.callback()
def dlq() -> None:
    """Records nobody could use."""


@app.command("list")
def list_command(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    reason: Annotated[str | None, typer.Option(help="Only those refused for this reason.")] = None,
    service: Annotated[str | None, typer.Option(help="Only those refused by this service.")] = None,
    timeout: Timeout = 60,
) -> None:
    """List dead letters, oldest first: time, service, reason, where the record was, what was wrong."""

    def fits(letter: DeadLetter) -> bool:
        about = letter.about
        return (reason is None or about.get("reason") == reason) and (
            service is None or about.get("service") == service
        )

    letters, total = _collect(fits, limit, timeout)
    for letter in letters:
        typer.echo(summary(letter))
    typer.echo(f"{len(letters)} of {total} dead letters")


@app.command("show")
def show_command(
    position: Annotated[str, typer.Argument(help="TOPIC/PARTITION/OFFSET of the record or of its dead letter.")],
    timeout: Timeout = 60,
) -> None:
    """Show a dead letter whole: why it was refused, its headers, key and value."""
    if not _POSITION.fullmatch(position):
        typer.echo(f"dlq show: not TOPIC/PARTITION/OFFSET: {visible(position)}", err=True)
        raise typer.Exit(2)
    letters, _ = _collect(lambda letter: position in {letter.origin, position_of(letter.record)}, 20, timeout)
    if not letters:
        typer.echo(f"dlq show: no dead letter of {position}", err=True)
        raise typer.Exit(1)
    typer.echo("\n\n".join("\n".join(whole(letter)) for letter in letters))


def _collect(fits: Callable[[DeadLetter], bool], limit: int, timeout: float) -> tuple[list[DeadLetter], int]:
    """The newest `limit` letters that fit, and how many there are at all."""

    async def run(settings: KafkaSettings) -> tuple[list[DeadLetter], int]:
        kept: deque[DeadLetter] = deque(maxlen=limit)
        total = 0
        async for letter in read_dead_letters(settings, timeout=timedelta(seconds=timeout)):
            total += 1
            if fits(letter):
                kept.append(letter)
        return list(kept), total

    try:
        settings = read(KafkaSettings)
        if missing_topics(settings, [DEAD_LETTERS_TOPIC]):
            raise TopicsUnusable(f"there is no topic {settings.physical(DEAD_LETTERS_TOPIC)}: `vigilo topics apply`")
        return asyncio.run(run(settings))
    except TimeoutError as error:
        typer.echo(f"dlq: dead-letters was not read to its end within {timeout:g} s: --timeout", err=True)
        raise typer.Exit(1) from error
    except (BadSettings, TopicsUnusable, ConsumerBroken) as error:
        typer.echo(f"dlq: {error}", err=True)
        raise typer.Exit(1) from error


def summary(letter: DeadLetter) -> str:
    """One line, without control characters."""
    about = letter.about
    fields = (about.get("time", "?"), about.get("service", "?"), about.get("reason", "?"), letter.origin)
    return visible("  ".join(fields), limit=300) + "  " + visible(about.get("detail", ""), limit=160)


def whole(letter: DeadLetter) -> Iterator[str]:
    """The letter for people, line by line; nothing in it can move a cursor or change a colour."""
    record = letter.record
    yield f"dead letter  {position_of(record)}"
    yield f"origin       {visible(letter.origin)}"
    for name in ("reason", "detail", "service", "time"):
        yield f"{name:<12} {visible(letter.about.get(name, '?'), limit=2_000)}"
    for name, value in letter.headers:
        yield f"header       {visible(name)}: {_shown(value)}"
    yield f"key          {'(none)' if record.key is None else _shown(record.key)}"
    yield from _value_lines(letter)


def _value_lines(letter: DeadLetter) -> Iterator[str]:
    value = letter.record.value
    if value is None:
        omitted = letter.about.get("value_omitted")
        yield f"value        {'(none)' if omitted is None else f'({visible(omitted)} bytes, too large to keep)'}"
        return
    yield f"value        {len(value)} bytes"
    shown = value[:_VALUE_LIMIT]
    if _text(value) is None:
        yield from _hex_lines(shown)
    else:  # "ignore": the cut may go through a character
        yield from (visible(line, limit=_VALUE_LIMIT) for line in shown.decode("utf-8", "ignore").split("\n"))
    if len(value) > _VALUE_LIMIT:
        yield f"... {len(value) - _VALUE_LIMIT} more bytes"


def _hex_lines(value: bytes) -> Iterator[str]:
    for start in range(0, len(value), 16):
        row = value[start : start + 16]
        printable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{start:08x}  {row.hex(' '):<47}  {printable}"


def _shown(value: bytes) -> str:
    text = _text(value)
    return visible(text, limit=2_000) if text is not None else f"0x{value[:1_000].hex()}"


def _text(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None
