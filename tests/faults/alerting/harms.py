"""What is done to the processes, each in one round. A harm says in a few words what it did."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from tests.fakes.service_lab import ServiceProcess
from tests.faults.alerting.lab import SERVICES, AlertingLab
from tests.faults.alerting.servers import OwnServer

# Past the session timeouts: 8 s of an alerter, 10 s of a notifier.
_FROZEN_S = 13.0


class Crew:
    """Two processes of each service, and their supervisor. `by_itself` counts ends nobody had asked for."""

    def __init__(self, lab: AlertingLab) -> None:
        self.lab = lab
        self.processes: dict[str, list[ServiceProcess]] = {
            service: [lab.start(service), lab.start(service)] for service in SERVICES
        }
        self.by_itself = 0

    def replace_all(self, service: str, *, die_at: str) -> ServiceProcess:
        """Ends both of a kind in order; in their place comes one that is doomed."""
        for one in self.processes[service]:
            one.stop()
        doomed = self.lab.start(service, die_at=die_at)
        self.processes[service] = [doomed]
        return doomed

    def send(self, service: str, place: int, number: signal.Signals) -> None:
        """Sends a signal to one of them, if it lives."""
        process = self.processes[service][place].process
        if process.poll() is None:
            process.send_signal(number)

    def restart_dead(self, *, expected: bool) -> None:
        """Does a supervisor's work."""
        for service, pair in self.processes.items():
            for place, one in enumerate(pair):
                if one.process.poll() is not None:
                    self.by_itself += not expected
                    pair[place] = self.lab.start(service)


Harm = Callable[[Crew, random.Random], str]


def killed(crew: Crew, chance: random.Random) -> str:
    """SIGKILL to an alerter and a notifier, sometimes to both of a kind, at any moment."""
    done: list[str] = []
    for service in SERVICES:
        for place in chance.sample((0, 1), k=chance.choice((1, 1, 2))):
            time.sleep(chance.uniform(0, 0.6))
            crew.send(service, place, signal.SIGKILL)
            done.append(f"{service[0]}{place}")
    return f"KILL {' '.join(done)}"


def frozen(crew: Crew, chance: random.Random) -> str:
    """SIGSTOP past the session timeout, then SIGCONT: others own its partitions by then."""
    service, place = chance.choice(SERVICES), chance.choice((0, 1))
    crew.send(service, place, signal.SIGSTOP)
    time.sleep(_FROZEN_S)
    crew.send(service, place, signal.SIGCONT)
    time.sleep(2)  # an alerter that finds itself deposed ends; that is its duty, not a fault
    return f"STOP {service[0]}{place}"


def coming_and_going(crew: Crew, chance: random.Random) -> str:
    """Alerters that leave in order and join again every few seconds."""
    for turn in range(4):
        place = turn % 2
        crew.send("alerter", place, signal.SIGTERM)
        time.sleep(chance.uniform(1, 3))
        crew.restart_dead(expected=True)
    return "TERM a, 4 times"


def broken(server: OwnServer, name: str) -> Harm:
    """SIGKILL to the broker or the database itself; it is back a few seconds later."""

    def harm(crew: Crew, chance: random.Random) -> str:
        server.kill()
        time.sleep(chance.uniform(1, 4))
        server.start()
        return f"KILL {name}"

    harm.__name__ = f"killed_{name}"
    return harm
