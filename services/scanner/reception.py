"""How a server has received us so far: when to doubt that it still answers us, and when to leave it alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear

# A server that answers nothing is left alone; one that has answered gets a few more chances.
_PATIENCE_WITH_STRANGERS = 4
_PATIENCE = 8
# As many as may be in flight to one address.
_DOUBTFUL = 5


@dataclass(slots=True)
class Reception:
    """What one enumeration has met with. `has_left_us` once the server no longer answers what it answered before."""

    chosen: list[Chosen] = field(default_factory=list)
    has_left_us: bool = False
    _alerts: int = 0
    _hang_ups: int = 0
    _disappointments: int = 0
    _in_a_row: int = 0

    def note_connection(self, answer: Answer) -> None:
        """What one connection came to."""
        if not isinstance(answer, Unclear):
            self._in_a_row = 0
        elif answer.silent or answer.left:
            self._disappointments += 1
            self._in_a_row += 1

    def note_answer(self, answer: Answer) -> None:
        """What one offer came to, if it took two connections."""
        if isinstance(answer, Chosen):
            self.chosen.append(answer)
        elif isinstance(answer, Refused) and answer.alert is not None:
            self._alerts += 1
        elif isinstance(answer, Refused) and answer.older_version is None:
            self._hang_ups += 1

    def note_reassurance(self, answer: Answer) -> None:
        """What came of an offer that was taken before."""
        self._in_a_row = 0
        self.has_left_us = not isinstance(answer, Chosen)

    @property
    def is_doubtful(self) -> bool:
        """True when the server has said nothing so often in a row that it may have banned us, and can be tested."""
        return self._in_a_row >= _DOUBTFUL and bool(self.chosen)

    @property
    def is_over(self) -> bool:
        """True when the server has stopped answering."""
        if self.has_left_us:
            return True
        known = bool(self.chosen or self._alerts)
        # Those that refuse by hanging up do so for every version they do not speak.
        silences = self._disappointments - (2 * self._hang_ups if known else 0)
        return silences >= (_PATIENCE if known else _PATIENCE_WITH_STRANGERS)

    @property
    def says_no(self) -> bool:
        """True when its refusals are to be believed: it takes something, or says in words that it does not."""
        return bool(self.chosen) or (bool(self._alerts) and not self._hang_ups)
