"""The installation of `vigilo up` on this machine, for the commands that look after one.

Without VIGILO_KAFKA_BOOTSTRAP and VIGILO_DATABASE_URL such a command means the servers that $VIGILO_HOME keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vigilo_cli.launcher.database import url_in
from vigilo_cli.launcher.home import Home
from vigilo_cli.launcher.ports import LOOPBACK, Ports

_DEFAULT_HOME = ".vigilo"


def local_servers(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that `environment` lacks and the home of `vigilo up` can supply; nothing where there is no home."""
    root = Path(environment.get("VIGILO_HOME") or _DEFAULT_HOME).absolute()
    kept = root / "ports.json"
    if not kept.exists():
        return {}
    ports = Ports(kept)
    kafka = ports.kept("kafka")
    known = {
        "VIGILO_KAFKA_BOOTSTRAP": None if kafka is None else f"{LOOPBACK}:{kafka}",
        "VIGILO_DATABASE_URL": url_in(Home(root, ports)),
    }
    return {name: value for name, value in known.items() if value and not _given(name, environment)}


def _given(name: str, environment: Mapping[str, str]) -> bool:
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))
