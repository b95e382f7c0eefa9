"""A follower of GET /events: reads a stream of the real API in a thread."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

_SECONDS = 10.0


@dataclass(frozen=True)
class Heard:
    """One event; `position` is its id."""

    position: str
    kind: str
    data: dict[str, Any]


@dataclass
class Follower:
    """What an open stream says. `ended` is set when the server closes it."""

    response: httpx.Response
    ended: threading.Event = field(default_factory=threading.Event)
    _heard: queue.Queue[Heard] = field(default_factory=queue.Queue)

    def next(self, seconds: float = _SECONDS) -> Heard:
        """The next event. Raises queue.Empty when none comes in time."""
        return self._heard.get(timeout=seconds)

    def until(self, kind: str, seconds: float = _SECONDS) -> Heard:
        """The next event of that kind; others are passed over. Raises queue.Empty."""
        deadline = time.monotonic() + seconds
        while (heard := self.next(max(0.01, deadline - time.monotonic()))).kind != kind:
            pass
        return heard

    def read(self) -> None:
        """Reads to the end."""
        fields: dict[str, str] = {}
        try:
            for line in self.response.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "data" in fields:
                    self._heard.put(Heard(fields["id"], fields["event"], json.loads(fields["data"])))
                    fields = {}
        except httpx.HTTPError:
            pass  # the test closed it, or the server went away: the end either way
        finally:
            self.ended.set()


@contextmanager
def following(url: str, token: str, *, after: str | None = None) -> Iterator[Follower]:
    """An open stream of the workspace at `url` (/api/v1/workspaces/...). Raises HTTPStatusError when it is refused."""
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": after} if after else {})}
    client = httpx.Client(timeout=30, trust_env=False)
    with client, client.stream("GET", f"{url}/events", headers=headers) as response:
        response.raise_for_status()
        follower = Follower(response)
        thread = threading.Thread(target=follower.read, daemon=True)
        thread.start()
        try:
            yield follower
        finally:
            # A close alone waits for the thread that is reading.
            with suppress(OSError):
                response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            thread.join(10)
