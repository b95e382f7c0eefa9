"""Settings of the alerter."""

from __future__ import annotations

from vigilo.adapters.settings import Settings


class AlerterSettings(Settings):
    """What every service has; rules and snoozes come from Kafka."""
