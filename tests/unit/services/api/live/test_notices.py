"""What a notification says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import orjson
import pytest

from services.api.live.notices import BadNotice, change, everything, naming, parsed

AT = datetime(2026, 11, 23, 14, 0, tzinfo=timezone(timedelta(hours=2)))
WORKSPACE = uuid4()


def test_changes_come_out_as_they_went_in_and_every_payload_fits() -> None:
    changes = [change("snapshot", AT, host_id=uuid4(), scan_id=uuid4()) for _ in range(500)]
    payloads = list(naming(WORKSPACE, changes))
    notices = [parsed(payload) for payload in payloads]
    assert [one for notice in notices for one in notice.changes or ()] == changes
    assert len(payloads) > 1 and max(len(payload.encode()) for payload in payloads) < 8_000
    assert len({notice.position for notice in notices}) == len(notices)
    assert {notice.workspace_id for notice in notices} == {WORKSPACE}


def test_no_changes_make_no_notification() -> None:
    assert list(naming(WORKSPACE, [])) == []


def test_a_change_names_what_is_known_and_its_time_in_utc() -> None:
    host = uuid4()
    assert change("delivery", AT, host_id=host, alert_id=None) == {
        "kind": "delivery",
        "host_id": str(host),
        "at": "2026-11-23T12:00:00Z",
    }


def test_everything_is_of_one_workspace_or_of_all() -> None:
    for workspace_id in (WORKSPACE, None):
        notice = parsed(everything(workspace_id))
        assert (notice.workspace_id, notice.changes) == (workspace_id, None)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "[]",
        "null",
        '{"position":"p","workspace":"w","changes":null}',
        '{"position":"p","workspace":null}',
        '{"position":"p","workspace":null,"changes":[{"at":"x"}]}',
        # A kind stands on a line of its own in the stream: it cannot bring further lines.
        orjson.dumps({"position": "p", "workspace": None, "changes": [{"kind": "a\ndata: x"}]}).decode(),
    ],
)
def test_what_is_no_notice_is_refused(payload: str) -> None:
    with pytest.raises(BadNotice):
        parsed(payload)


def test_utc_stays_utc() -> None:
    assert change("x", datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC))["at"] == "2026-01-01T00:00:00.250000Z"
