"""What the launcher starts lives as long as it should: through crashes, to the end, and not a moment longer."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.integration.launcher.system import alive, gone, launched

ELSEWHERE = {"VIGILO_KAFKA_BOOTSTRAP": "127.0.0.1:1", "VIGILO_DATABASE_URL": "postgresql://boss:pw@127.0.0.1:1/none"}


def test_it_starts_serves_and_stops_in_order_at_ctrl_c(tmp_path: Path) -> None:
    with launched(tmp_path / "home", ELSEWHERE) as system:
        system.wait_until_ready()
        children = system.recorded()
        assert set(children) == {"api", "worker"}
        system.interrupt_group()
        assert system.wait() == 0
    assert not any(alive(pid) for pid in children.values())
    assert sorted(line for line in system.story() if "started" not in line) == ["api stopped", "worker stopped"]
    assert "owner-token" in system.said()


def test_services_get_the_database_as_their_own_role_or_not_at_all(tmp_path: Path) -> None:
    with launched(tmp_path / "home", ELSEWHERE) as system:
        system.wait_until_ready()
        started = {line.split()[0]: line.rpartition("database=")[2] for line in system.story()}
        assert started == {"api": "//vigilo_api:", "worker": ""}
        system.interrupt_group()
        system.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_of_asking_stop_it_too(tmp_path: Path, number: signal.Signals) -> None:
    with launched(tmp_path / "home", ELSEWHERE) as system:
        system.wait_until_ready()
        system.process.send_signal(number)
        assert system.wait() == 0
    assert "worker stopped" in system.story()


def test_a_service_that_dies_is_started_again_and_told_once(tmp_path: Path) -> None:
    with launched(tmp_path / "home", ELSEWHERE) as system:
        system.wait_until_ready()
        first = system.recorded()["worker"]
        os.kill(first, signal.SIGKILL)
        system.wait_for(lambda: system.recorded().get("worker", first) != first, "a new worker")
        said = [line for line in system.said().splitlines() if "worker ended" in line]
        assert len(said) == 1
        assert "signal 9" in said[0]
        assert str(system.home / "logs" / "worker.log") in said[0]
        system.interrupt_group()
        assert system.wait() == 0


def test_a_service_that_cannot_start_ends_the_launcher_with_its_last_words(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "die-worker").touch()
    with launched(home, ELSEWHERE) as system:
        assert system.wait(60) == 1
    assert "worker cannot start: no reason at all" in system.said()
    assert system.recorded() == {}


def test_ctrl_c_while_starting_leaves_nothing(tmp_path: Path) -> None:
    with launched(tmp_path / "home") as system:
        system.wait_for(lambda: bool(system.recorded()), "the first child")
        children = list(system.recorded().values())
        system.interrupt_group()
        assert system.wait() == 0
    assert not any(alive(pid) for pid in children)


def database_of(home: Path) -> str:
    port = (home / "ports.json").read_text().partition('"postgres": ')[2].split("\n")[0].strip(",")
    return f"postgresql://postgres:{(home / 'postgres-password').read_text()}@127.0.0.1:{port}/postgres"


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="the kernel's help is Linux only")  # noqa: PTH110
def test_a_killed_launcher_takes_everything_along_and_the_next_finds_all_data(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with launched(home) as system:
        system.wait_until_ready()
        children = system.recorded()
        assert {"kafka", "postgres", "api", "worker"} <= set(children)
        with psycopg.connect(database_of(home)) as connection:
            connection.execute("create table kept as select 7 as value")
        system.process.kill()
        system.process.wait(10)
        assert gone(list(children.values()), 15)
    with launched(home) as system:
        system.wait_until_ready()
        with psycopg.connect(database_of(home)) as connection:
            assert connection.execute("select value from kept").fetchone() == (7,)
        os.kill(system.recorded()["postgres"], signal.SIGKILL)
        os.kill(system.recorded()["kafka"], signal.SIGKILL)
        system.wait_for(lambda: {"kafka", "postgres"} <= set(system.recorded()), "servers again")
        system.wait_for(lambda: answers(home), "a database again")
        began = time.monotonic()
        system.interrupt_group()
        system.interrupt_group()  # a person presses it again
        assert system.wait() == 0
        assert time.monotonic() - began < 20
    assert "PostgreSQL" in system.said()
    assert "Had to be killed: kafka" not in system.said()
    assert "Had to be killed: postgres" not in system.said()


def answers(home: Path) -> bool:
    try:
        with psycopg.connect(database_of(home), connect_timeout=2) as connection:
            return connection.execute("select value from kept").fetchone() == (7,)
    except psycopg.Error:
        return False


def test_what_a_killed_launcher_left_is_ended_by_the_next(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "run").mkdir(parents=True)
    with psutil.Popen(["sleep", "600"]) as left, psutil.Popen(["sleep", "600"]) as innocent:
        record = '{{"name": "{}", "pid": {}, "started": {}, "signal": 15}}'
        (home / "run" / "scanner.json").write_text(record.format("scanner", left.pid, left.create_time()))
        # Another program with the pid of a process that ended long ago.
        (home / "run" / "grader.json").write_text(record.format("grader", innocent.pid, innocent.create_time() - 60))
        (home / "run" / "broken.json").write_text("{")
        with launched(home, ELSEWHERE) as system:
            system.wait_until_ready()
            assert left.wait(5) == -signal.SIGTERM
            assert innocent.poll() is None
            assert "Ended what an earlier run left behind: scanner." in system.said()
            system.interrupt_group()
            assert system.wait() == 0
        innocent.kill()
