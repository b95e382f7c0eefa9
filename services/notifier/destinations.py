"""Opens the sealed half of a channel: addresses and keys."""

from __future__ import annotations

from uuid import UUID

from vigilo.adapters.secrets import CannotOpen, Sealed, SecretBox, channel_place


class SealedDestinations:
    """Opens with the installation's keys."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def open(self, workspace_id: UUID, channel_id: UUID, key_id: str | None, sealed: bytes | None) -> bytes:
        """The credentials as JSON. Raises ValueError when there are none, or none that these keys open."""
        if key_id is None or sealed is None:
            raise ValueError("the channel has no address")
        try:
            return self._box.open(Sealed(key_id, sealed), place=channel_place(workspace_id, channel_id))
        except CannotOpen as error:
            raise ValueError(f"the channel's address cannot be opened: {error}") from error
