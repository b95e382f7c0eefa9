"""Which pools of scanners a workspace may use, as its settings and the topics that are there say at this moment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import UUID

from vigilo.adapters.streams.broadcast import BroadcastReader
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.events.codec import UndecodableRecord, decode
from vigilo.events.envelope import Record
from vigilo.events.rules import WorkspaceSettings
from vigilo.events.topics import PUBLIC_POOL, BadPoolName, scan_topics

logger = logging.getLogger("vigilo.scheduler")

TOPIC = "workspace-settings"
_LOOK_EVERY_SECONDS = 5.0  # while a pool was given to somebody and its topics are not there


class Pools(BroadcastReader):
    """Follows the settings of workspaces, and looks for the topics of the pools they name. Hand it to the service.

    A send to a topic that does not exist would never end, so a pool without topics is none. `public` is open to all.
    """

    def __init__(self) -> None:
        super().__init__(TOPIC, on_change=self._hear)
        self._settings: dict[UUID, WorkspaceSettings] = {}
        self._present = frozenset({PUBLIC_POOL})
        self._news = asyncio.Event()

    def of(self, workspace_id: UUID) -> frozenset[str]:
        """The pools that hosts of this workspace may be scanned by right now."""
        settings = self._settings.get(workspace_id)
        return frozenset({PUBLIC_POOL} if settings is None else {PUBLIC_POOL, *settings.pools}) & self._present

    async def start(self, settings: StreamSettings, *, partitions: int = 1) -> None:
        """See BroadcastReader; the topics of all pools have been looked for, too."""
        await super().start(settings, partitions=partitions)
        self._hear(frozenset(self.records))
        await self._look()

    async def follow(self) -> None:
        """See BroadcastReader."""
        await asyncio.gather(super().follow(), self._keep_looking())

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_SECONDS):
                    await self._news.wait()
            self._news.clear()
            await self._look()

    async def _look(self) -> None:
        missing = {pool for one in self._settings.values() for pool in one.pools} - self._present
        if not missing:
            return
        there = await self.topics()
        found = {pool for pool in missing if there.issuperset(_topics(pool))}
        if found:
            logger.info("pools whose topics are there now: %s", ", ".join(sorted(found)))
            self._present |= found

    def _hear(self, keys: frozenset[str]) -> None:
        for key in sorted(keys):
            if (record := self.records.get(key)) is not None:
                self._decode(record)
        self._news.set()

    def _decode(self, record: Record) -> None:
        try:
            new = decode(record, WorkspaceSettings)
        except UndecodableRecord as error:
            # The version before it stays, if we have read it.
            logger.error("%s at offset %d cannot be used: %s", record.topic, record.offset, error)
            return
        old = self._settings.get(new.workspace_id)
        if old is None or new.version > old.version:
            self._settings[new.workspace_id] = new


def _topics(pool: str) -> tuple[str, ...]:
    try:
        return scan_topics(pool)
    except BadPoolName:  # written by somebody else; its topics can never be there
        return (f"(no pool: {pool})",)
