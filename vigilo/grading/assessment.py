"""What a rulebook says of one address: findings, the letter, what decided it, and the way up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vigilo.events.cards import Finding, Grade, Improvement
from vigilo.grading.addresses import views
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Rule
from vigilo.grading.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Assessment:
    """See ReportCard for the fields' meaning."""

    inspection: Inspection
    findings: tuple[Finding, ...]
    grade: Grade
    posture_grade: Grade
    deciding: tuple[str, ...]
    to_improve: tuple[Improvement, ...]


def assess(inspection: Inspection, rulebook: Rulebook) -> Assessment:
    """The assessment of the worst address; where several are as bad, of the first of them."""
    each = [_assess(replace(inspection, snapshot=view), rulebook) for view in views(inspection.snapshot)]
    return max(each, key=lambda one: (one.grade.rank, one.posture_grade.rank))


def _assess(inspection: Inspection, rulebook: Rulebook) -> Assessment:
    results = [(rule, finding) for rule in rulebook.rules if (finding := rule.finding(inspection)) is not None]
    findings = tuple(finding for _, finding in results)
    grade = rulebook.letter(findings, inspection)
    return Assessment(
        inspection=inspection,
        findings=findings,
        grade=grade,
        posture_grade=rulebook.letter([finding for rule, finding in results if rule.posture], inspection),
        deciding=tuple(finding.rule for finding in findings if finding.cap is grade),
        to_improve=tuple(_way_up(results, inspection, rulebook)),
    )


def _way_up(
    results: Sequence[tuple[Rule, Finding]], inspection: Inspection, rulebook: Rulebook
) -> Iterable[Improvement]:
    """What caps the letter, the worst first, each with the letter that is left when it is mended, too."""
    left = [finding for _, finding in results]
    worst_first = sorted(
        ((rule, finding) for rule, finding in results if finding.cap is not None),
        key=lambda result: -(result[1].cap.rank if result[1].cap is not None else 0),
    )
    for rule, finding in worst_first:
        left.remove(finding)
        yield Improvement(rule=rule.id, fix=rule.fix or rule.title, grade_then=rulebook.letter(left, inspection))
