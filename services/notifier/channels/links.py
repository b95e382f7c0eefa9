"""Where messages lead: pages of the web interface, all under the public URL. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from uuid import UUID

from vigilo.events.alerts import AlertTransition

URL_MAX = 2000
# What may stand in a URL as it is (RFC 3986 section 2.2 and 2.3, and %); everything else is percent-encoded. Without
# ' and ( ), which are legal but end a URL in some readers' eyes.
_URL_SAFE = ":/?#[]@!$&*+,;=%-._~"


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages under `public_url`."""

    public_url: str

    def host(self, host_id: UUID) -> str:
        """The host's page."""
        return f"{self._base}/hosts/{host_id}"

    def alert(self, alert_id: UUID) -> str:
        """The alert's page: facts, what decided it, everyone who was told."""
        return f"{self._base}/alerts/{alert_id}"

    def silence(self, alert_id: UUID) -> str:
        """Where the alert can be acknowledged or snoozed."""
        return f"{self._base}/alerts/{alert_id}#snooze"

    def alerts(self) -> str:
        """The list of open alerts."""
        return f"{self._base}/alerts"

    def channels(self) -> str:
        """The list of channels."""
        return f"{self._base}/channels"

    @property
    def _base(self) -> str:
        return self.public_url.rstrip("/")


def runbook(transition: AlertTransition) -> str | None:
    """The rule's runbook, else the host's; None when there is none that a message may link to."""
    return safe_url(transition.rule.runbook_url) or safe_url(transition.host.runbook_url)


def safe_url(text: str | None) -> str | None:
    """The text as a link: http or https with a host, anything unusual percent-encoded; None when it is no such link."""
    if text is None:
        return None
    try:
        encoded = quote(text.strip(), safe=_URL_SAFE)
        parts = urlsplit(encoded)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except (ValueError, UnicodeError):
        return None
    return encoded if usable and len(encoded) <= URL_MAX else None
