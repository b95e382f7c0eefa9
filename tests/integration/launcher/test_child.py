"""A child of another account: it can read its way to what it runs, and nothing more."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

import pytest

from tests.integration.launcher.system import gone
from vigilo_cli.launcher.processes import Account, Child, Command

LINUX = sys.platform.startswith("linux")

LOOK = """
import os, sys
folder = sys.argv[1]
def tried(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"
status = open("/proc/self/status").read()
print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups())
print(os.access(f"{folder}/file", os.R_OK), open(f"{folder}/file").read())
print(tried(lambda: open(f"{folder}/new", "w")), tried(lambda: os.setuid(0)), tried(lambda: os.chown(folder, 1, 1)))
print(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff")))
"""


@pytest.mark.skipif(not LINUX or os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_nobody_who_can_read_but_not_write(tmp_path: Path) -> None:
    folder = tmp_path / "of root alone"
    folder.mkdir(mode=0o700)
    (folder / "file").write_text("readable")
    (folder / "file").chmod(0o600)
    nobody = pwd.getpwnam("nobody")
    command = Command(
        "look", (sys.executable, "-I", "-S", "-c", LOOK, str(folder)), account=Account(nobody.pw_uid, nobody.pw_gid)
    )
    child = Child(command, logs=tmp_path, records=tmp_path / "run")
    assert child.wait(timeout=20)
    assert (child.exit_code(), child.log.read_text().splitlines()) == (
        0,
        [
            f"{nobody.pw_uid} {nobody.pw_uid} {nobody.pw_gid} []",
            "True readable",
            "PermissionError PermissionError PermissionError",
            "0000000000000004",  # CAP_DAC_READ_SEARCH alone
        ],
    )


def test_a_child_is_not_in_its_owners_process_group(tmp_path: Path) -> None:
    command = Command("sleep", ("sleep", "60"))
    child = Child(command, logs=tmp_path, records=tmp_path / "run")
    try:
        assert os.getsid(child.pid) == child.pid
        assert (tmp_path / "run" / "sleep.json").exists()
    finally:
        assert child.stop(timeout=10)
    assert not (tmp_path / "run" / "sleep.json").exists()


def test_a_child_that_does_not_listen_is_killed_with_its_descendants(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 61 & echo $!; while :; do sleep 1; done"
    child = Child(Command("deaf", ("sh", "-c", script)), logs=tmp_path, records=tmp_path / "run")
    deadline = 200
    while not child.log.read_text() and deadline:
        deadline -= 1
        assert not child.wait(timeout=0.05)
    grandchild = int(child.log.read_text())
    assert not child.stop(timeout=0.5)
    assert gone([grandchild], 5)


def test_a_variable_can_be_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_DATABASE_URL", "postgresql://secret")
    command = Command("env", ("env",), {"VIGILO_DATABASE_URL": None, "VIGILO_PORT": "1"})
    child = Child(command, logs=tmp_path, records=tmp_path / "run")
    assert child.wait(timeout=20)
    lines = child.log.read_text().splitlines()
    assert "VIGILO_PORT=1" in lines
    assert not any(line.startswith("VIGILO_DATABASE_URL") for line in lines)
