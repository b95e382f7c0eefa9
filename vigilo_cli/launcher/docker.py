"""Docker, when its engine answers. Containers run in the foreground of the `docker` client, as ordinary children."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vigilo_cli.launcher.problems import CannotStart, reason_in
from vigilo_cli.launcher.processes import Command


@dataclass(frozen=True, slots=True)
class Container:
    """One container: `publish` maps a loopback port to the container's port, `volume` keeps `mount` across runs."""

    name: str
    image: str
    publish: tuple[int, int]
    mount: str
    environment: Mapping[str, str]
    arguments: tuple[str, ...] = ()


def engine_answers() -> bool:
    """True if a Docker engine is there; a client without an engine is not enough."""
    if shutil.which("docker") is None:
        return False
    try:
        answer = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def name_for(home: Path, part: str) -> str:
    """A container and volume name that belongs to this state folder."""
    return f"vigilo-{hashlib.sha256(str(home).encode()).hexdigest()[:10]}-{part}"


def prepare(container: Container) -> None:
    """Fetch the image unless it is there, and remove a container that a killed run left behind."""
    subprocess.run(["docker", "rm", "--force", container.name], capture_output=True, timeout=60, check=False)
    known = subprocess.run(
        ["docker", "image", "inspect", container.image], capture_output=True, timeout=60, check=False
    )
    if known.returncode == 0:
        return
    pulled = subprocess.run(
        ["docker", "pull", "--quiet", container.image], capture_output=True, text=True, timeout=900, check=False
    )
    if pulled.returncode != 0:
        raise CannotStart(f"Docker cannot fetch {container.image}: {reason_in(pulled.stderr)}")


def command(name: str, container: Container) -> Command:
    """`docker run` in the foreground: the client hands SIGTERM on and ends with the container."""
    outside, inside = container.publish
    secrets = [option for key in container.environment for option in ("--env", key)]
    argv = ["docker", "run", "--rm", "--name", container.name, "--stop-timeout", "20"]
    argv += ["--publish", f"127.0.0.1:{outside}:{inside}", "--volume", f"{container.name}:{container.mount}", *secrets]
    return Command(name, (*argv, container.image, *container.arguments), environment=dict(container.environment))
