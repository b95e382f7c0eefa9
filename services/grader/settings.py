"""Settings of the grader."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from vigilo.adapters.settings import Settings


class GraderSettings(Settings):
    """Beside what every service has: which roots are public."""

    trust_bundle: Path | None = Field(
        None, description="PEM file of the public trust anchors; default: Mozilla's, as certifi ships them"
    )
