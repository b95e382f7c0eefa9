"""The results as the table of docs/trust.md.

python -m tests.limbo.table    writes it there
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.limbo.vectors import SUITES, Case, cases, in_scope
from tests.limbo.verdicts import JUDGES, judged
from vigilo.events.cards import Verdict

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "trust.md"
BEGIN, END = "<!-- results: python -m tests.limbo.table -->\n", "<!-- end of results -->\n"
DOMAINS = ("public", "private")
_TITLES = {
    "public": "this project, public domain",
    "private": "this project, private domain",
    "cryptography": "`cryptography`'s verifier alone",
}


def listed() -> dict[tuple[str, str], tuple[str, str]]:
    """(domain, case) -> (what we say, why), of deviations.toml. Raises ValueError for a case listed twice."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for row in tomllib.loads((HERE / "deviations.toml").read_text())["deviation"]:
        for case in row["cases"]:
            if (row["domain"], case) in found:
                raise ValueError(f"{case} is listed twice")
            found[row["domain"], case] = (row["says"], row["why"])
    return found


def results() -> str:
    """Markdown between the two marks: agreement by judge and suite, deviations and what is out of scope by reason."""
    return "\n".join([*_agreement(), "", *_deviations(), "", *_out_of_scope(), ""])


def _agreement() -> Iterator[str]:
    yield "| Who judges | Suite | Cases | As expected | Accepts against it | Refuses against it | Unknown |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for judge in JUDGES:
        for suite in SUITES:
            asked = [case for case in in_scope() if case.suite == suite]
            differs = Counter(judged(judge, case).accepted for case in asked if not judged(judge, case).agrees(case))
            numbers = (len(asked), len(asked) - differs.total(), *(differs[one] for one in Verdict))
            yield f"| {_TITLES[judge]} | {suite} | {' | '.join(map(str, numbers))} |"


def _deviations() -> Iterator[str]:
    counts = Counter((why, domain, says) for (domain, _), (says, why) in listed().items())
    yield "| Why a verdict deviates | Domain | We say | Cases |"
    yield "|---|---|---|--:|"
    for (why, domain, says), count in counts.items():
        yield f"| {why} | {domain} | {says} | {count} |"


def _out_of_scope() -> Iterator[str]:
    counts = Counter(case.out_of_scope for suite in SUITES for case in cases(suite) if case.out_of_scope)
    yield "| Not judged, because | Cases |"
    yield "|---|--:|"
    for why, count in counts.items():
        yield f"| {why} | {count} |"


def deviating(domain: str, asked: tuple[Case, ...]) -> dict[str, str]:
    """Case -> what we say, for those whose verdict is not the expected one."""
    return {case.id: judged(domain, case).accepted for case in asked if not judged(domain, case).agrees(case)}


def in_document(text: str) -> str:
    """The part of the document between the marks."""
    return text.partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    whole = DOCUMENT.read_text()
    DOCUMENT.write_text(whole.replace(BEGIN + in_document(whole) + END, BEGIN + results() + END))
