"""Each workspace is judged by its own anchors, as its settings say at that moment."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from services.grader import anchors
from services.grader.anchors import WorkspaceJudges, private_anchors
from tests.fakes.pki import Authority, Issued, Options, issue
from vigilo.adapters.streams.broadcast import BroadcastReader
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.events.codec import encode
from vigilo.events.envelope import OutgoingEvent, Record
from vigilo.events.ids import record_id
from vigilo.events.rules import WorkspaceSettings
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC)
PUBLIC = Authority.create("Public")
OWN = Authority.create("Own")
SHARED = TrustJudge(TrustStores(public=AnchorSet("test", (PUBLIC.root.certificate,))))


class Topic(BroadcastReader):
    """The reader as it stands after each record; no broker."""

    def __init__(self) -> None:
        super().__init__(anchors.TOPIC)

    def put(self, workspace: UUID, version: int, *trusted: Issued, value: bytes | None = None) -> None:
        roots = tuple(one.pem.decode() for one in trusted)
        settings = WorkspaceSettings(workspace_id=workspace, version=version, name="x", private_roots=roots)
        event = OutgoingEvent(self.topic, str(workspace), record_id(workspace, version), settings, NOW)
        encoded = encode(event, source="test")
        self._latest[str(workspace)] = Record(
            topic=self.topic,
            partition=0,
            offset=version,
            timestamp_ms=0,
            key=encoded.key,
            value=encoded.value if value is None else value,
            headers=encoded.headers,
        )


def verdict(judges: WorkspaceJudges, workspace: UUID, leaf: Issued) -> tuple[Verdict, TrustReason | None]:
    found = judges.of(workspace).judge(leaf.chain_der, TrustDomain.PRIVATE, at=NOW)
    return found.trusted, found.reason


def test_anchors_come_and_go_with_the_settings_of_their_workspace_only() -> None:
    topic, mine, other = Topic(), uuid4(), uuid4()
    judges = WorkspaceJudges(SHARED, topic)
    leaf = OWN.leaf("a.test")
    assert judges.of(mine) is SHARED
    topic.put(mine, 1, OWN.root)
    topic.put(other, 1)
    assert verdict(judges, mine, leaf) == (Verdict.YES, None)
    assert verdict(judges, other, leaf) == (Verdict.NO, TrustReason.UNKNOWN_ISSUER)
    assert judges.of(mine).stores.version == f"test+{private_anchors([OWN.root.pem.decode()]).version}"
    topic.put(mine, 2)
    assert judges.of(mine) is SHARED


@pytest.mark.parametrize("kind", ["root", "intermediate", "leaf"])
def test_an_anchor_may_be_a_root_an_intermediate_or_the_leaf_itself(kind: str) -> None:
    topic, workspace, leaf = Topic(), uuid4(), OWN.leaf("a.test")
    topic.put(workspace, 1, {"root": OWN.root, "intermediate": OWN.intermediate, "leaf": leaf}[kind])
    judges = WorkspaceJudges(SHARED, topic)
    assert verdict(judges, workspace, leaf) == (Verdict.YES, None)
    another = OWN.leaf("b.test")
    assert verdict(judges, workspace, another)[0] is (Verdict.NO if kind == "leaf" else Verdict.YES)


def test_a_self_signed_leaf_can_be_pinned() -> None:
    topic, workspace = Topic(), uuid4()
    leaf = issue(Options(names=("a.test",)))
    topic.put(workspace, 1, leaf)
    assert verdict(WorkspaceJudges(SHARED, topic), workspace, leaf) == (Verdict.YES, None)


def test_unreadable_settings_change_nothing_and_same_anchors_keep_their_verdicts() -> None:
    topic, workspace = Topic(), uuid4()
    judges = WorkspaceJudges(SHARED, topic)
    topic.put(workspace, 1, OWN.root)
    judge = judges.of(workspace)
    topic.put(workspace, 2, value=b"{")
    assert judges.of(workspace) is judge
    topic.put(workspace, 3, OWN.root)
    assert judges.of(workspace) is judge


def test_the_judges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "_JUDGES", 2)
    topic, workspaces = Topic(), [uuid4() for _ in range(4)]
    judges = WorkspaceJudges(SHARED, topic)
    for workspace in workspaces:
        topic.put(workspace, 1, OWN.root)
        judges.of(workspace)
    assert list(judges._built) == workspaces[-2:]
    assert verdict(judges, workspaces[0], OWN.leaf("a.test"))[0] is Verdict.YES


def test_an_anchor_that_is_none_is_left_out() -> None:
    assert private_anchors(["no pem", OWN.root.pem.decode()]).anchors == (OWN.root.certificate,)
