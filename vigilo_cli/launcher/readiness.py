"""Asking a process on this machine whether it is ready."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass

from vigilo_cli.launcher.ports import LOOPBACK

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Readiness:
    """`reason` says what a process that is not ready waits for."""

    ready: bool
    reason: str = ""


def ask(port: int, path: str = "/readyz") -> Readiness:
    """The process's own answer; one that cannot be reached is not ready."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=3)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(65536)
    except (OSError, http.client.HTTPException):
        return Readiness(False, "it does not answer yet")
    finally:
        connection.close()
    return Readiness(True) if answer.status == 200 else Readiness(False, _reason(body))


def _reason(body: bytes) -> str:
    try:
        checks = json.loads(body)["checks"]
        failing = {name: answer for name, answer in checks.items() if not answer["ok"]}
        return "; ".join(f"{name}: {_words(answer)}" for name, answer in failing.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return "it says that it is not ready"


def _words(answer: Mapping[str, object]) -> str:
    if "reason" in answer:
        return str(answer["reason"])[:LONGEST_REASON]
    details = ", ".join(f"{name} {value}" for name, value in answer.items() if name != "ok")
    return details[:LONGEST_REASON] or "not ok"
