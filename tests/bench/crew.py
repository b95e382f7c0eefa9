"""Several processes of one service, watched as one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psutil

from tests.bench.processes import PATIENCE_S, Service
from tests.bench.workshop import Workshop
from tests.faults.streams.waiting import wait_until

_LOOK_EVERY_S = 0.05
# So little of a core over so long, and nothing is being worked on.
_REST_SHARE, _REST_S = 0.08, 1.0


class Crew:
    """Processes that share the partitions of a group."""

    def __init__(self, services: Sequence[Service]) -> None:
        self.services = services

    def events(self) -> int:
        """Events done by all of them, as far as they answer."""
        samples = [one.sample() for one in self.services]
        return sum(sample.events for sample in samples if sample is not None)

    def cpu(self) -> float:
        """CPU seconds used by all of them."""
        return sum(sum(psutil.Process(one.process.pid).cpu_times()[:2]) for one in self.services)

    def until(self, events: int) -> float:
        """Waits until so many events are done; returns when that was seen (time.monotonic)."""
        wait_until(lambda: self.events() >= events, seconds=PATIENCE_S, what=f"{events} events", every=_LOOK_EVERY_S)
        return time.monotonic()

    def until_rest(self) -> float:
        """Waits until they do nothing any more; returns since when (time.monotonic)."""
        seen = [(time.monotonic(), self.cpu())]
        deadline = time.monotonic() + PATIENCE_S
        while True:
            now, cpu = time.monotonic(), self.cpu()
            while len(seen) > 1 and seen[1][0] <= now - _REST_S:
                seen.pop(0)
            began, before = seen[0]
            if now - began >= _REST_S and cpu - before < _REST_SHARE * (now - began):
                return began
            assert now < deadline, "they do not come to rest"
            seen.append((now, cpu))
            time.sleep(_LOOK_EVERY_S)


@contextmanager
def crew(workshop: Workshop, name: str, size: int) -> Iterator[Crew]:
    """So many processes of a service, all of them ready."""
    with ExitStack() as stack:
        services = [stack.enter_context(workshop.service(name)) for _ in range(size)]
        wait_until(lambda: all(one.ready for one in services), seconds=120, what=f"{size} {name}s")
        yield Crew(services)
