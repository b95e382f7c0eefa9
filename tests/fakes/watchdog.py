"""fail2ban of the distribution as a judge: which lines its own filters count, and whether they are a ban."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.distribution import unpacked

# jail.conf of the package: maxretry and findtime.
MAXRETRY = 5
FINDTIME = timedelta(minutes=10)
_PYTHON = Path("/usr/bin/python3")
_ROW = re.compile(r"^\['[^']*',\s*([0-9.]+),", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stamped:
    """A line of a server's log as syslog would have it: when, and what."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`counted` are the times of the lines that count, `worst` how many of them fell within FINDTIME."""

    counted: Sequence[datetime]
    worst: int

    @property
    def banned(self) -> bool:
        """True when the watchdog would have banned whoever left these lines."""
        return self.worst >= MAXRETRY


def judge(lines: Iterable[Stamped], filter_name: str, folder: Path) -> Verdict:
    """What fail2ban's filter in its aggressive mode makes of the lines. Skips the test where it cannot be had."""
    files = unpacked("fail2ban")
    if not _PYTHON.exists():
        pytest.skip("no python3 of the distribution")
    log = folder / f"{filter_name}.stamped"
    log.write_text("".join(f"{line.at.isoformat()} mx {line.text}\n" for line in lines))
    command = [str(_PYTHON), str(files / "usr/bin/fail2ban-regex"), "-c", str(files / "etc/fail2ban"), "-o", "row"]
    packages = str(files / "usr/lib/python3/dist-packages")
    done = subprocess.run(
        [*command, str(log), f"{filter_name}[mode=aggressive]"],
        env={**os.environ, "PYTHONPATH": packages},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    counted = [datetime.fromtimestamp(float(seconds), UTC) for seconds in _ROW.findall(done.stdout)]
    return Verdict(counted, _worst(sorted(counted)))


def _worst(counted: Sequence[datetime]) -> int:
    worst, recent = 0, deque[datetime]()
    for at in counted:
        recent.append(at)
        while recent[0] < at - FINDTIME:
            recent.popleft()
        worst = max(worst, len(recent))
    return worst
