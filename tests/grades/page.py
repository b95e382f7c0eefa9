"""`python -m tests.grades.page` writes docs/grades-table.md from the table."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from tests.grades import certificate_rows, server_rows, suite_rows
from tests.grades.pending import PENDING
from tests.grades.rows import Row, Topic
from vigilo.events.hosts import Trust

PAGE = Path("docs/grades-table.md")
_GROUPS = (
    ("Chain of trust", certificate_rows.TRUST_ROWS),
    ("Names", certificate_rows.NAME_ROWS),
    ("Keys and signatures", certificate_rows.KEY_ROWS),
    ("Lifetimes", certificate_rows.LIFETIME_ROWS),
    ("Stapling", certificate_rows.STAPLE_ROWS),
    ("Protocol versions", server_rows.VERSION_ROWS),
    ("Cipher suites and key exchange", suite_rows.ROWS),
    ("Known holes and other defects", server_rows.DEFECT_ROWS),
    ("HSTS", server_rows.HSTS_ROWS),
    ("Other protocols than HTTPS", server_rows.OTHER_ROWS),
)
_HEAD = """# Which letter for which server

{count} configurations of servers, the letter each deserves under both rulebooks, and what decides it. The letters
are argued from the sources, not taken from what the rules say; `tests/grades` starts every one of these servers,
scans it as any host is scanned, and holds both rulebooks against the table (`pytest tests/grades`). The rules
themselves are in [grading.md](grading.md).

In the arguments *design* is what Vigilo set out to do: F for trust, name, RSA below 2048 bits and TLS 1.1 at most; C
for TLS 1.0 or 1.1 beside newer; A+ needs a hybrid group. *survey* is the reading of RFCs, root programs and graders
that came before the rules. *2009e* to *2009r* are versions of SSL Labs' Server Rating Guide, or the month of the
article that announced a change, and *BR* is the CA/Browser Forum's Baseline Requirements. A dash means that the
sources do not decide. T and M are what the second rulebook's model says instead of F for distrust and for a wrong
name. Rows marked with an asterisk are pending: the rules say something else, see the end.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD.format(count=sum(len(rows) for _, rows in _GROUPS))]
    parts += [_section(title, rows) for title, rows in _GROUPS]
    return "\n".join([*parts, _pending()])


def _section(title: str, rows: tuple[Row, ...]) -> str:
    lines = [f"## {title}", "", "| Configuration | vigilo-2026 | ssllabs-compatible-2009r | Why |", "|---|---|---|---|"]
    return "\n".join([*lines, *(_line(row) for row in rows), ""])


def _line(row: Row) -> str:
    stars = ["\\*" if (row.id, book) in PENDING else "" for book in ("vigilo-2026", "ssllabs-compatible-2009r")]
    what = f"**{row.id}**<br>{row.server}; certificate {row.profile}"
    what += ", private trust" if row.trust is Trust.PRIVATE else ""
    labs = "-" if row.labs is None else _letter(row.labs, row.labs_rule)
    cells = (what, _letter(row.grade, row.rule) + stars[0], labs + stars[1], row.because)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _letter(letter: str, topic: Topic | None) -> str:
    return str(letter) if topic is None else f"{letter}: {topic}"


def _pending() -> str:
    lines = [f"- **{row}** ({book}), {why}." for (row, book), why in PENDING.items()]
    return "\n".join(["## Pending", "", *(lines or ["Nothing."]), ""])


def grouped() -> set[str]:
    """The ids of all rows on the page."""
    return {row.id for row in chain.from_iterable(rows for _, rows in _GROUPS)}


if __name__ == "__main__":
    PAGE.write_text(page())
