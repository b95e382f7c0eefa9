from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from vigilo.adapters import logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    kept, level = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    logs.configure("scanner", "info", stream=stream)
    yield stream
    logging.root.handlers[:] = kept
    logging.root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_event_is_one_line_with_time_level_and_service(out: io.StringIO) -> None:
    structlog.get_logger("x").warning("scan refused", host="example.test", port=443)
    (line,) = lines(out)
    assert {key: line[key] for key in ("level", "service", "event", "host", "port")} == {
        "level": "warning",
        "service": "scanner",
        "event": "scan refused",
        "host": "example.test",
        "port": 443,
    }
    written = datetime.fromisoformat(line["time"])
    assert written.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "hostile", ["a\nb", "a\r\nb", 'a"}\n{"level": "info', "\x1b[31m", "a\u2028b", "a\x85b", "\u202etxt", "\x00"]
)
def test_text_from_the_network_cannot_break_or_turn_a_line(out: io.StringIO, hostile: str) -> None:
    structlog.get_logger("x").info(hostile, banner=hostile)
    raw = out.getvalue()
    assert raw.count("\n") == 1
    assert all(" " <= character <= "~" for character in raw.rstrip("\n"))
    (line,) = lines(out)
    assert (line["event"], line["banner"]) == (hostile, hostile)


def test_a_lone_surrogate_is_written_too(out: io.StringIO) -> None:
    structlog.get_logger("x").info("odd", name="\udcff")
    assert lines(out)[0]["name"] == "\udcff"


def test_an_exception_is_one_line_with_its_traceback(out: io.StringIO) -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    (line,) = lines(out)
    assert "ValueError: first\nsecond" in line["exception"]


def test_a_librarys_record_has_the_same_form(out: io.StringIO) -> None:
    logging.getLogger("some.library").error("lost %s\n%d", "it", 7)
    (line,) = lines(out)
    assert (line["event"], line["level"], line["service"], line["logger"]) == (
        "lost it\n7",
        "error",
        "scanner",
        "some.library",
    )


def test_below_the_level_nothing_is_written_and_libraries_are_stricter(out: io.StringIO) -> None:
    structlog.get_logger("x").debug("detail")
    logging.getLogger("aiokafka.consumer").info("chatter")
    assert out.getvalue() == ""


def test_secrets_are_masked_and_long_values_cut(out: io.StringIO) -> None:
    structlog.get_logger("x").info(
        "sent", Authorization="Bearer abc", token="abc", banner="x" * 100_000, chain=["y" * 9000]
    )
    raw = out.getvalue()
    assert "abc" not in raw
    assert len(raw) < 20_000


def test_values_json_does_not_know_become_text(out: io.StringIO) -> None:
    structlog.get_logger("x").info("took", took=timedelta(seconds=3), raw=b"\xff", keys={1: "one"})
    (line,) = lines(out)
    assert (line["took"], line["raw"], line["keys"]) == ("0:00:03", "b'\\xff'", {"1": "one"})


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown log level 'loud'"):
        logs.configure("scanner", "loud")
