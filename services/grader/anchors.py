"""Whose anchors judge a workspace's hosts: the public ones and its own, as workspace-settings say at this moment."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from vigilo.adapters.streams.broadcast import BroadcastReader
from vigilo.events.cards import TrustDomain, TrustVerdict
from vigilo.events.codec import UndecodableRecord, decode
from vigilo.events.envelope import Record
from vigilo.events.rules import WorkspaceSettings
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

logger = logging.getLogger("vigilo.grader")

TOPIC = "workspace-settings"
_JUDGES = 64  # of workspaces with anchors of their own; more are built anew when their turn comes
_VERDICTS = 256  # each judge keeps of private chains; a chain is some 4 KiB


class WorkspaceJudge(TrustJudge):
    """Judges the private domain itself and leaves the public one to the judge that all workspaces share."""

    def __init__(self, shared: TrustJudge, private: AnchorSet) -> None:
        given = shared.stores
        super().__init__(TrustStores(given.public, private, given.distrust), entries=_VERDICTS)
        self._shared = shared

    def judge(self, chain_der: Sequence[bytes], domain: TrustDomain, *, at: datetime) -> TrustVerdict:
        """See TrustJudge."""
        if domain is TrustDomain.PUBLIC:
            return self._shared.judge(chain_der, domain, at=at)
        return super().judge(chain_der, domain, at=at)


@dataclass(frozen=True, slots=True)
class _Built:
    offset: int
    judge: TrustJudge


class WorkspaceJudges:
    """The judge of each workspace. `reader` is handed to the stream service and is complete before the first decision.

    Settings nobody can read change nothing while the ones before are remembered; else the workspace has no anchors.
    """

    def __init__(self, shared: TrustJudge, reader: BroadcastReader | None = None) -> None:
        self.reader = reader or BroadcastReader(TOPIC)
        self._shared = shared
        self._built: OrderedDict[UUID, _Built] = OrderedDict()

    def of(self, workspace_id: UUID) -> TrustJudge:
        """The judge by what is read of the topic right now."""
        record = self.reader.records.get(str(workspace_id))
        if record is None:
            self._built.pop(workspace_id, None)
            return self._shared
        built = self._built.get(workspace_id)
        if built is None or built.offset != record.offset:
            built = _Built(record.offset, self._read(record, built))
            self._built[workspace_id] = built
        self._built.move_to_end(workspace_id)
        if len(self._built) > _JUDGES:
            self._built.popitem(last=False)
        return built.judge

    def _read(self, record: Record, before: _Built | None) -> TrustJudge:
        try:
            settings = decode(record, WorkspaceSettings)
        except UndecodableRecord as error:
            logger.error("%s at offset %d cannot be used: %s", record.topic, record.offset, error)
            return self._shared if before is None else before.judge
        anchors = private_anchors(settings.private_roots)
        if not anchors.anchors:
            return self._shared
        if before is not None and before.judge.stores.private.version == anchors.version:
            return before.judge
        return WorkspaceJudge(self._shared, anchors)


def private_anchors(pems: Iterable[str]) -> AnchorSet:
    """A workspace's roots, intermediates and pinned leaves. The version names exactly these: same anchors, same name.

    One that cannot be read is left out with a log line; the API lets none in.
    """
    found: dict[bytes, x509.Certificate] = {}
    for pem in pems:
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError as error:
            logger.error("an anchor cannot be used: %s", error)
            continue
        found[certificate.fingerprint(hashes.SHA256())] = certificate
    digest = hashlib.sha256(b"".join(sorted(found))).hexdigest()
    return AnchorSet(f"private-{digest[:12]}", tuple(found.values()))
