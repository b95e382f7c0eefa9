"""Wires the grader: `python -m services.grader.app`."""

from __future__ import annotations

from services.grader.anchors import WorkspaceJudges
from services.grader.decide import GraderProcessor
from services.grader.settings import GraderSettings
from vigilo.adapters.settings import read
from vigilo.adapters.streams.process import run_processor
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo.grading.rulebook import rulebook
from vigilo.grading.trust.judge import TrustJudge


def main() -> None:
    """Runs until SIGTERM."""
    settings = read(GraderSettings)
    judges = WorkspaceJudges(TrustJudge(load_trust_stores(settings.trust_bundle)))
    run_processor(
        GraderProcessor(judges.of, rulebook(settings.rulebook)),
        settings,
        output_topics=("report-cards", "certificate-changes"),
        broadcasts=(judges.reader,),
    )


if __name__ == "__main__":
    main()
