"""Settings of the scheduler."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from services.scheduler.planning import Timing
from vigilo.adapters.settings import Duration, Settings

_NEVER_BELOW = timedelta(0)


class SchedulerSettings(Settings):
    """Beside what every service has: how long a scan may be waited for."""

    not_performed_after: Duration = Field(
        timedelta(seconds=90), description="From the end of a request's validity until nobody is waited for"
    )
    retry_after: Duration = Field(timedelta(minutes=5), description="Until a scan nobody performed is asked for again")
    fast_validity: Duration = Field(timedelta(seconds=60), description="How long a request on the fast lane is valid")
    scan_now_spacing: Duration = Field(
        timedelta(seconds=10), description="Between two scans of one host that people ask for"
    )

    recheck_spacing: Duration = Field(
        timedelta(seconds=30), description="From an alert that must be confirmed to the scan that may confirm it"
    )

    @field_validator("not_performed_after", "retry_after", "fast_validity", "scan_now_spacing", "recheck_spacing")
    @classmethod
    def _positive(cls, value: timedelta) -> timedelta:
        if value <= _NEVER_BELOW:
            raise ValueError("more than zero")
        return value

    def timing(self) -> Timing:
        """The planner's view of these settings."""
        return Timing(
            fast_validity=self.fast_validity,
            grace=self.not_performed_after,
            retry_after=self.retry_after,
            command_spacing=self.scan_now_spacing,
            recheck_spacing=self.recheck_spacing,
        )
