"""`vigilo up`: everything from nothing to a running system, and back down in order.

    check -> PostgreSQL, schema, workspace beside Kafka, topics -> services -> ready -> watch -> stop in order

Everything started here ends with this process, however it ends; state stays in `$VIGILO_HOME`.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import chain

from vigilo_cli.launcher import ports
from vigilo_cli.launcher.arrival import where_to_go
from vigilo_cli.launcher.asking import ask
from vigilo_cli.launcher.database import choose_database
from vigilo_cli.launcher.home import Home, check_space, lock, open_home
from vigilo_cli.launcher.interruption import Interruption, Stopped
from vigilo_cli.launcher.kafka import choose_kafka
from vigilo_cli.launcher.options import Options, options_from
from vigilo_cli.launcher.problems import CannotStart
from vigilo_cli.launcher.processes import Child, Command, end_leftovers
from vigilo_cli.launcher.progress import Progress
from vigilo_cli.launcher.server import Server
from vigilo_cli.launcher.services import (
    FRONT_DOOR,
    ROLES,
    SIGN_IN_LINK,
    Plan,
    Surroundings,
    Task,
    local_defaults,
    service_command,
    task_command,
)
from vigilo_cli.launcher.supervisor import Supervised, Supervisor

SERVER_TIMEOUT_SECONDS = 90.0
TASK_TIMEOUT_SECONDS = 120.0
SERVICES_TIMEOUT_SECONDS = 120.0
DEATHS_BEFORE_GIVING_UP = 3  # of one process, while starting
CHECK_EVERY_SECONDS = 0.25
SPACE_CHECK_SECONDS = 30.0
LOW_SPACE_MB = 200
# Together 15 s, so that a person who pressed Ctrl-C does not reach for something worse.
STOP_SERVICES_SECONDS = 7.0
STOP_KAFKA_SECONDS = 5.0
STOP_POSTGRES_SECONDS = 3.0


def up(plan: Plan | None = None) -> int:
    """Run until stopped. The exit code: 0 after an orderly stop, 1 with one line on standard error otherwise."""
    try:
        options = options_from(os.environ)
        home = open_home(options.home)
        with lock(home):
            return Launch(options, home, plan or Plan()).run()
    except CannotStart as problem:
        return _complain(str(problem))
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        return _complain(f"No space is left for {error.filename or 'the state folder'}: free some and start again.")


def _complain(line: str) -> int:
    print(f"vigilo up: {line}", file=sys.stderr)
    return 1


class Launch:
    """One run of the whole system on one state folder, which the caller holds locked."""

    def __init__(self, options: Options, home: Home, plan: Plan) -> None:
        self._options = options
        self._home = home
        self._plan = plan
        self._interruption = Interruption()
        self._progress = Progress()
        self._supervisor = Supervisor(self._warn)

    def run(self) -> int:
        """Start, tell where to go, watch; stop in order whatever happened."""
        began = time.monotonic()
        try:
            self._check()
            database = choose_database(self._home, url=self._options.database_url)
            kafka = choose_kafka(self._home, bootstrap=self._options.kafka_bootstrap)
            around = partial(self._surroundings, kafka, database)
            by_database = chain(self._bring_up(database, "PostgreSQL"), self._do_all(self._plan.with_database, around))
            by_kafka = chain(self._bring_up(kafka, "Kafka"), self._do_all(self._plan.with_kafka, around))
            self._drive([by_database, by_kafka])
            self._drive([self._start_services(around())])
            link = self._sign_in_link(around())
            for line in where_to_go(self._home, self._options.port, seconds=time.monotonic() - began, link=link):
                self._progress.say(line)
            self._watch()
        except Stopped:
            pass
        except CannotStart:
            if not self._interruption.count:  # Ctrl-C also ends what is being prepared: no reason to complain
                raise
        finally:
            self._stop()
        return 0

    def _sign_in_link(self, around: Surroundings) -> str | None:
        try:
            return ask(task_command(SIGN_IN_LINK, around))
        except CannotStart as problem:  # everything runs: no reason to stop it all
            self._warn(f"No sign-in link: {problem}. `vigilo user reset EMAIL` makes one.")
            return None

    def _check(self) -> None:
        if leftovers := end_leftovers(self._home.records):
            self._progress.say(f"Ended what an earlier run left behind: {', '.join(leftovers)}.")
        check_space(self._home, self._options.min_free_mb)
        port = self._options.port
        self._home.ports.reserve(port)
        if not ports.is_free(port):
            raise CannotStart(
                f"Port {port} is in use by {ports.user_of(port)}: stop that, or choose another with VIGILO_PORT."
            )

    def _surroundings(self, kafka: Server, database: Server) -> Surroundings:
        self._health_ports()  # given now, so that scans can be kept away from them
        return Surroundings(
            home=str(self._home.root),
            port=self._options.port,
            kafka_bootstrap=kafka.address,
            database_url=database.address,
            passwords={role: self._home.secret(f"{role}-password") for role in ROLES},
            defaults=local_defaults(self._home, self._options.port, self._home.ports.given(), os.environ),
        )

    def _health_ports(self) -> dict[str, int]:
        return {service.name: self._home.ports.get(service.name) for service in self._plan.services}

    def _drive(self, lanes: list[Iterator[None]]) -> None:
        """Take turns with several lanes until all are done.

        One thread, for a child ends with the thread that started it. Raises Stopped when asked to stop.
        """
        while lanes:
            lanes = [lane for lane in lanes if _advance(lane)]
            self._interruption.check()
            self._progress.refresh()
            time.sleep(0.02)

    def _bring_up(self, server: Server, label: str) -> Iterator[None]:
        with self._progress.step(label) as step:
            step.detail = server.choice
            preparation = in_background(server.prepare)
            while not preparation.done():
                yield
            preparation.result()
            server.launch()
            self._keep_running(server)
            deadline = time.monotonic() + SERVER_TIMEOUT_SECONDS
            while not server.poll(deadline):
                yield

    def _keep_running(self, server: Server) -> None:
        if server.child is None:
            return

        def again() -> Child:
            server.launch()
            assert server.child is not None
            return server.child

        self._supervisor.add(Supervised(server.name, again, child=server.child))

    def _do_all(self, tasks: tuple[Task, ...], around: Callable[[], Surroundings]) -> Iterator[None]:
        for task in tasks:  # each task looks round only when its turn has come and its server has an address
            yield from self._do(task, around())

    def _do(self, task: Task, around: Surroundings) -> Iterator[None]:
        with self._progress.step(task.label) as step:
            child = self._child(task_command(task, around))
            deadline = time.monotonic() + TASK_TIMEOUT_SECONDS
            try:
                while child.exit_code() is None and time.monotonic() < deadline:
                    yield
            finally:
                code = child.exit_code()
                child.kill()
            if code != 0:
                raise CannotStart(f"{task.label}: {child.last_words()} (log: {child.log})")
            step.detail = child.last_lines(1)

    def _start_services(self, around: Surroundings) -> Iterator[None]:
        with self._progress.step("Services") as step:
            self._launch_services(around)
            deadline = time.monotonic() + SERVICES_TIMEOUT_SECONDS
            while waiting := self._supervisor.waiting_for():
                self._supervisor.check(time.monotonic())
                self._give_up_if_hopeless(waiting, deadline)
                step.waiting = ", ".join(waiting)
                yield
            step.detail = ", ".join(service.name for service in self._plan.services)

    def _launch_services(self, around: Surroundings) -> None:
        health = self._health_ports()
        for service in self._plan.services:
            start = partial(self._child, service_command(service, around, health))
            port = self._options.port if service.name == FRONT_DOOR else health[service.name]
            self._supervisor.add(Supervised(service.name, start, port))

    def _give_up_if_hopeless(self, waiting: dict[str, str], deadline: float) -> None:
        for member in self._supervisor.members:
            if member.failures >= DEATHS_BEFORE_GIVING_UP:
                raise CannotStart(f"{member.name} cannot start: {member.last_words} (log: {member.log})")
        if time.monotonic() > deadline:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in waiting.items())
            raise CannotStart(f"not ready after {SERVICES_TIMEOUT_SECONDS:.0f} s: {reasons}. Logs: {self._home.logs}")

    def _child(self, command: Command) -> Child:
        return Child(command, logs=self._home.logs, records=self._home.records)

    def _watch(self) -> None:
        space_checked, warned = time.monotonic(), False
        while not self._interruption.count:
            self._interruption.sleep(CHECK_EVERY_SECONDS)
            self._supervisor.check(time.monotonic())
            if not warned and time.monotonic() - space_checked > SPACE_CHECK_SECONDS:
                space_checked, warned = time.monotonic(), self._warn_of_low_space()

    def _warn_of_low_space(self) -> bool:
        free_mb = shutil.disk_usage(self._home.root).free // (1024 * 1024)
        if free_mb >= LOW_SPACE_MB:
            return False
        line = f"Only {free_mb} MB are left under {self._home.root}: Kafka and PostgreSQL stop when the disk is full."
        self._warn(line)
        return True

    def _warn(self, line: str) -> None:
        self._progress.say(line, style="yellow")

    def _stop(self) -> None:
        """Services first, so that what they still write arrives; then Kafka, then PostgreSQL."""
        names = {member.name for member in self._supervisor.members}
        if not names:
            return
        with self._progress.step("Stopped"):
            hurry = self._interruption.again
            rounds = (
                (names - {"kafka", "postgres"}, STOP_SERVICES_SECONDS, hurry),
                ({"kafka"}, STOP_KAFKA_SECONDS, never),
                ({"postgres"}, STOP_POSTGRES_SECONDS, never),
            )
            for members, seconds, may_hurry in rounds:
                if killed := self._supervisor.stop(members, timeout=seconds, hurry=may_hurry):
                    self._warn(f"Had to be killed: {', '.join(killed)}.")


def _advance(lane: Iterator[None]) -> bool:
    for _ in lane:
        return True
    return False


def never() -> bool:
    """Brokers are not hurried: a second Ctrl-C ends services at once, for they may be killed at any time."""
    return False


def in_background(work: Callable[[], None]) -> Future[None]:
    """Run it in a thread that does not keep the process from ending."""
    future: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # handed to whoever waits for the future
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, daemon=True).start()
    return future
