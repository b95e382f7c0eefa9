"""Opens the sealed half of a channel: address and signing secret."""

from __future__ import annotations

from pydantic import ValidationError

from services.notifier.records import Claimed
from vigilo.adapters.secrets import CannotOpen, Sealed, SecretBox, WebhookCredentials, channel_place


class SealedDestinations:
    """Opens with the installation's keys."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def open(self, claimed: Claimed) -> tuple[str, str]:
        """(url, secret). Raises ValueError when there is none, or none that these keys open."""
        if claimed.key_id is None or claimed.sealed is None:
            raise ValueError("the channel has no address")
        place = channel_place(claimed.workspace_id, claimed.channel_id)
        try:
            opened = self._box.open(Sealed(claimed.key_id, claimed.sealed), place=place)
            credentials = WebhookCredentials.model_validate_json(opened)
        except (CannotOpen, ValidationError) as error:
            raise ValueError(f"the channel's address cannot be opened: {type(error).__name__}") from error
        return credentials.url, credentials.secret
