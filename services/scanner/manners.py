"""What a mail server has had to bear from us lately, whichever of its ports and names it was for.

A line for a watchdog is a handshake that was left unfinished, and at IMAP and POP3 servers any connection that ends
without a login. Kept in memory, by one process: requests of one host name come to one scanner. After a start nothing is
known of the minutes before, so nothing is asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.scanner.sightings import Address
from vigilo.tls.starttls.mail import MailService

# fail2ban's default is a ban at the fifth line within ten minutes.
LINES_MAX = 4
LINES_OF_QUESTIONS_MAX = 3  # one is kept for the next handshake
WINDOW = timedelta(minutes=11)

_Place = tuple[Address, MailService]


@dataclass(slots=True)
class Manners:
    """Counts lines. `now` is the scanner's clock, `since` its start (None: nothing can have been before)."""

    now: Callable[[], datetime]
    since: datetime | None = None
    _lines: dict[_Place, deque[datetime]] = field(default_factory=dict)
    _asked_all: dict[_Place, datetime] = field(default_factory=dict)

    def take(self, address: Address, service: MailService, wanted: int) -> int:
        """How many questions may be asked now, `wanted` at most; they count at once, so give back what is left."""
        at = self.now()
        quiet = (self.since, self._asked_all.get((address, service)))
        if any(one is not None and at < one + WINDOW for one in quiet):
            return 0
        lines = self._recent(address, service, at)
        granted = max(0, min(wanted, LINES_OF_QUESTIONS_MAX - len(lines)))
        lines.extend([at] * granted)
        return granted

    def give_back(self, address: Address, service: MailService, count: int) -> None:
        """So many of those taken last were not asked."""
        lines = self._lines.get((address, service), deque[datetime]())
        for _ in range(min(count, len(lines))):
            lines.pop()

    def note(self, address: Address, service: MailService) -> None:
        """A line was left without asking before."""
        at = self.now()
        lines = self._recent(address, service, at)
        lines.append(at)
        while len(lines) > LINES_MAX:
            lines.popleft()

    def note_all(self, address: Address, service: MailService) -> None:
        """A person wanted all answers at once: nothing more is asked for a while.

        Handshakes go on: a ban, if it comes, has come by then, and most servers do not mind.
        """
        at = self.now()
        self._asked_all = {place: one for place, one in self._asked_all.items() if one > at - WINDOW}
        self._asked_all[address, service] = at

    def has_room(self, address: Address, service: MailService, lines: int = 1) -> bool:
        """False when so many more lines could be one too many."""
        return len(self._recent(address, service, self.now())) + lines <= LINES_MAX

    def _recent(self, address: Address, service: MailService, at: datetime) -> deque[datetime]:
        for place in [place for place, lines in self._lines.items() if not lines or lines[-1] <= at - WINDOW]:
            del self._lines[place]
        lines = self._lines.setdefault((address, service), deque())
        while lines and lines[0] <= at - WINDOW:
            lines.popleft()
        return lines
