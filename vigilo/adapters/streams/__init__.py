"""The hardened Faust base: a service hands over a Processor, the base applies every input once.

Start reading at service.py (life of a process), loop.py (gather, decide, evolve, emit, acknowledge), writing.py (what a
crash inside a batch leaves). What Faust 0.15.3 lacks is in recovery.py, transport.py, table.py, store.py,
ownership.py; why is in docs/decisions/0003-hardened-faust-base.md and 0022-batches-share-the-waiting.md.
"""

from vigilo.adapters.streams.broadcast import BroadcastReader
from vigilo.adapters.streams.owned import Row, utc_now
from vigilo.adapters.streams.service import StreamService
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.status import BroadcastStatus, PartitionStatus, StreamStatus

__all__ = [
    "BroadcastReader",
    "BroadcastStatus",
    "PartitionStatus",
    "Row",
    "StreamService",
    "StreamSettings",
    "StreamStatus",
    "utc_now",
]
