"""What several programs say of one server, in one vocabulary, and where they differ. Pure.

A fact has a name and a set of words: `TLSv1.2` is {accepted} or {rejected}, `TLSv1.2 suites` and `TLSv1.3 groups` are
sets of registered names, `TLSv1.2 order` is one word of all suites in order. A fact that a program says nothing about
is absent, and is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")

SNI = "a.test"  # the name that every program asks for

Words = frozenset[str]


@dataclass(frozen=True, slots=True)
class Account:
    """What `program` says of a server, and what it took: TCP connections and seconds of wall time."""

    program: str
    facts: Mapping[str, Words]
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that two programs do not agree on: the words that only one of them says."""

    server: str
    peer: str
    fact: str
    ours: Words
    theirs: Words

    def __str__(self) -> str:
        return f"{self.server}: {self.fact}: ours alone {shown(self.ours)}, {self.peer} alone {shown(self.theirs)}"


def _always(_: Difference) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why some differences are right. `peer`, `server` and `fact` are shell patterns; so are `ours` and `theirs`.

    A difference is explained when every word of it matches one of the patterns of its side, and `holds`.
    """

    peer: str
    fact: str
    reason: str
    verified: str
    right: str
    holds: Callable[[Difference], bool] = _always
    server: str = "*"
    ours: Sequence[str] = ()
    theirs: Sequence[str] = ()

    def covers(self, difference: Difference) -> bool:
        """True if this is the reason for that difference."""
        whose = ((difference.peer, self.peer), (difference.server, self.server), (difference.fact, self.fact))
        return (
            all(fnmatchcase(value, pattern) for value, pattern in whose)
            and _all_match(difference.ours, self.ours)
            and _all_match(difference.theirs, self.theirs)
            and self.holds(difference)
        )


def _all_match(words: Words, patterns: Sequence[str]) -> bool:
    return all(any(fnmatchcase(word, pattern) for pattern in patterns) for word in words)


def differences(server: str, ours: Account, theirs: Account) -> list[Difference]:
    """All facts that both tell and tell differently."""
    found = []
    for fact, words in theirs.facts.items():
        mine = ours.facts.get(fact)
        if mine is not None and mine != words:
            found.append(Difference(server, theirs.program, fact, mine - words, words - mine))
    return found


def compared(ours: Account, theirs: Account) -> int:
    """How many facts both tell."""
    return len(ours.facts.keys() & theirs.facts.keys())


def word(value: object) -> Words:
    """A fact of one word."""
    return frozenset({str(value)})


def accepted(yes: bool) -> Words:
    """Accepted or rejected, as a fact."""
    return word("accepted" if yes else "rejected")


def in_order(names: Iterable[str]) -> Words:
    """An order of preference, as a fact: another order is another word."""
    return word(" > ".join(names))


def shown(words: Words) -> str:
    """For people: the words, or a dash."""
    return ", ".join(sorted(words)) or "-"
