"""Settings of the grader."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from vigilo.adapters.settings import Settings
from vigilo.grading.rulebook import RULEBOOKS, VIGILO_2026, rulebook


class GraderSettings(Settings):
    """Beside what every service has: which roots are public, and by which rulebook hosts are judged."""

    trust_bundle: Path | None = Field(
        None, description="PEM file of the public trust anchors; default: Mozilla's, as certifi ships them"
    )
    rulebook: str = Field(VIGILO_2026.name, description=f"The rulebook of the letters: {', '.join(RULEBOOKS)}")

    @field_validator("rulebook")
    @classmethod
    def _known(cls, name: str) -> str:
        return rulebook(name).name
