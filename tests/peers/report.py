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


_PEERS = ("sslyze", "sslscan", "s_client")
_COUNTED = ("vigilo", "sslyze", "sslscan")


def _servers(rows: Sequence[Row], explanations: Sequence[Explanation]) -> str:
    """Facts agreed of facts compared, the reasons for the others in brackets; TCP connections."""
    head = ("server", "suites", *_PEERS, *(f"connections: {one}" for one in _COUNTED))
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    lines.extend(f"| {' | '.join(_server(row, explanations))} |" for row in rows)
    return "\n".join([*lines, _totals(rows)]) + "\n"


def _server(row: Row, explanations: Sequence[Explanation]) -> list[str]:
    suites = sum(len(words) for fact, words in row.ours.facts.items() if fact.endswith(" suites"))
    peers = {one.program: one for one in row.peers}
    connections = {one.program: str(one.connections) for one in (row.ours, *row.peers)}
    agreed = [_agreed(row, peers[name], explanations) if name in peers else "-" for name in _PEERS]
    return [row.server, str(suites), *agreed, *(connections.get(name, "-") for name in _COUNTED)]


def _agreed(row: Row, peer: Account, explanations: Sequence[Explanation]) -> str:
    found = differences(row.server, row.ours, peer)
    reasons = [explain(one, explanations) for one in found]
    numbers = sorted({explanations.index(one) + 1 for one in reasons if one is not None})
    because = f" ({', '.join(map(str, numbers))})" if numbers else ""
    return f"{compared(row.ours, peer) - len(found)} of {compared(row.ours, peer)}{because}"


def _totals(rows: Sequence[Row]) -> str:
    def facts(name: str) -> str:
        pairs = [(row, peer) for row in rows for peer in row.peers if peer.program == name]
        whole = sum(compared(row.ours, peer) for row, peer in pairs)
        return f"{whole - sum(len(differences(row.server, row.ours, peer)) for row, peer in pairs)} of {whole}"

    def connections(name: str) -> str:
        return str(sum(one.connections for row in rows for one in (row.ours, *row.peers) if one.program == name))

    cells = (f"all {len(rows)}", "", *map(facts, _PEERS), *map(connections, _COUNTED))
    return f"| {' | '.join(cells)} |"


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
