"""The comparison as tables for people: docs/agreement.md holds what it printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.peers.facts import Account, Difference, Explanation, compared, differences, shown


@dataclass(frozen=True, slots=True)
class Row:
    """One server: what we say, and what each peer says that could be run against it."""

    server: str
    ours: Account
    peers: Sequence[Account]

    @property
    def differences(self) -> list[Difference]:
        """All of them, explained or not."""
        return [one for peer in self.peers for one in differences(self.server, self.ours, peer)]


def explain(difference: Difference, explanations: Sequence[Explanation]) -> Explanation | None:
    """The first reason that covers it."""
    return next((one for one in explanations if one.covers(difference)), None)


def tables(rows: Sequence[Row], explanations: Sequence[Explanation]) -> str:
    """Markdown: servers with what was compared and what it took, then the reasons with where they were needed."""
    return f"{_servers(rows, explanations)}\n{_reasons(rows, explanations)}"


def _servers(rows: Sequence[Row], explanations: Sequence[Explanation]) -> str:
    lines = ["| server | facts (suites) | connections | seconds |", "| --- | --- | --- | --- |"]
    lines.extend(_server(row, explanations) for row in rows)
    return "\n".join(lines) + "\n"


def _server(row: Row, explanations: Sequence[Explanation]) -> str:
    suites = sum(len(words) for fact, words in row.ours.facts.items() if fact.endswith(" suites"))
    agreed = []
    for peer in row.peers:
        found = differences(row.server, row.ours, peer)
        numbers = sorted({explanations.index(one) + 1 for each in found if (one := explain(each, explanations))})
        because = f" ({', '.join(map(str, numbers))})" if numbers else ""
        agreed.append(f"{peer.program} {compared(row.ours, peer) - len(found)}/{compared(row.ours, peer)}{because}")
    all_of_them = (row.ours, *row.peers)
    took = [", ".join(f"{one.program} {one.connections}" for one in all_of_them)]
    took.append(", ".join(f"{one.program} {one.seconds:.2f}" for one in all_of_them))
    return f"| {row.server} | {', '.join(agreed)} ({suites}) | {' | '.join(took)} |"


def _reasons(rows: Sequence[Row], explanations: Sequence[Explanation]) -> str:
    lines = ["| no. | peer | fact | ours alone | theirs alone | right | why | how verified | servers |"]
    lines.append("| --- " * 9 + "|")
    for number, one in enumerate(explanations, start=1):
        covered = [each for row in rows for each in row.differences if explain(each, explanations) is one]
        servers = len({each.server for each in covered})
        words = [_cell([each.ours for each in covered]), _cell([each.theirs for each in covered])]
        cells = (str(number), one.peer, one.fact, *words, one.right, one.reason, one.verified, str(servers))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(sides: Sequence[frozenset[str]]) -> str:
    text = shown(frozenset().union(*sides)) if sides else "-"
    return text if len(text) <= 160 else f"{text[:150]}..."
