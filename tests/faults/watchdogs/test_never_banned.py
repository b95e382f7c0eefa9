"""What a week of scans leaves in the logs of real mail servers, before the eyes of fail2ban's own filters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

import pytest

from services.scanner.manners import Manners
from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.scan_requests import full_request
from tests.fakes.watchdog import Verdict, judge
from tests.faults.watchdogs.week import Diary, Watched, Week
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events import ids
from vigilo.events.hosts import Host, HostStatus, Interval, Protocol
from vigilo.events.posture import Support
from vigilo.events.scans import Outcome, ScanReason

pytestmark = pytest.mark.slow

Mail = tuple[dict[str, int], Diary, Diary]
HOSTS = {
    "smtp": Protocol.SMTP,
    "smtps": Protocol.TLS,
    "imap": Protocol.IMAP,
    "pop3": Protocol.POP3,
    "imaps": Protocol.TLS,
}


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    resolver = SystemResolver(threads=2)
    yield Tools(resolver=resolver, egress=ScanEgress(parse_networks(["127.0.0.0/8"])), name="test")
    resolver.close()


def week_of(mail: Mail, tools: Tools, interval: Interval, days: int) -> Week:
    """One that ended yesterday: watchdogs wonder about lines of the future. All hosts are added in its first minute."""
    ports, postfix, dovecot = mail
    week = Week(tools, at=datetime.now(UTC).replace(microsecond=0) - timedelta(days=days + 1))
    tools.now = lambda: week.at
    tools.manners = Manners(lambda: week.at, since=week.at)
    for diary in (postfix, dovecot):
        diary.skip()
    workspace = ids.new_id()
    for name, protocol in HOSTS.items():
        host = Host(
            host_id=uuid5(NAMESPACE_DNS, name),
            workspace_id=workspace,
            version=1,
            status=HostStatus.ACTIVE,
            hostname="127.0.0.1",
            port=ports[name],
            protocol=protocol,
            interval=interval,
            created_at=week.at,
            updated_at=week.at,
        )
        week.add(Watched(host, postfix if name.startswith("smtp") else dovecot))
        week.at += timedelta(seconds=7)
    return week


async def settle(diaries: tuple[Diary, Diary]) -> None:
    """The test's own look whether the servers are up is written down by now."""
    await asyncio.sleep(1.0)
    for diary in diaries:
        diary.skip()


def verdicts_on(mail: Mail, folder: Path) -> tuple[Verdict, Verdict]:
    _, postfix, dovecot = mail
    return judge(postfix.lines, "postfix", folder), judge(dovecot.lines, "dovecot", folder)


def assert_seen_and_known(watched: Watched, begun: datetime) -> None:
    """Never out of sight for long, and graded within four days (mail transport: two)."""
    well = [one for one in watched.snapshots if one.outcome is Outcome.OK]
    gaps = [later.requested_at - earlier.requested_at for earlier, later in pairwise(well)]
    assert max(gaps) <= timedelta(minutes=80), "out of sight"
    whole = next(one for one in well if one.posture is not None)
    assert whole.posture is not None
    days = 2 if watched.diary.log.parent.name == "postfix" else 4
    assert whole.requested_at - begun < timedelta(days=days)
    assert "TLSv1.3" in whole.posture.supporting(Support.ACCEPTED)
    assert whole.posture.supporting(Support.UNKNOWN) == ()
    assert not any(one.throttled for one in watched.snapshots)


async def test_a_week_of_hourly_scans(mail: Mail, tools: Tools, folder: Path) -> None:
    """168 slots of five hosts, and all the questions that their postures take."""
    await settle(mail[1:])
    week = week_of(mail, tools, Interval.H1, days=7)
    begun = week.at
    await week.pass_until(begun + timedelta(days=7))
    for watched in week.hosts.values():
        assert len([one for one in watched.snapshots if one.reason is ScanReason.SLOT]) >= 167
        assert_seen_and_known(watched, begun)
    verdicts = verdicts_on(mail, folder)
    assert all(len(one.counted) > 100 for one in verdicts), "the filters see what we leave behind"
    assert not any(one.banned for one in verdicts), verdicts


async def test_a_day_of_scans_every_five_minutes(mail: Mail, tools: Tools, folder: Path) -> None:
    """More than three mailbox ports of one machine would be too many: some of their slots are left out."""
    await settle(mail[1:])
    week = week_of(mail, tools, Interval.M5, days=1)
    await week.pass_until(week.at + timedelta(days=1))
    verdicts = verdicts_on(mail, folder)
    assert not any(one.banned for one in verdicts), verdicts
    for watched in week.hosts.values():
        well = [one.requested_at for one in watched.snapshots if one.outcome is Outcome.OK]
        assert max(later - earlier for earlier, later in pairwise(well)) <= timedelta(minutes=60)


@pytest.mark.parametrize("name", list(HOSTS))
async def test_all_questions_at_once_are_a_ban(name: str, mail: Mail, tools: Tools, folder: Path) -> None:
    """What a person may do, and what the clock never does: without this the tests above prove nothing."""
    ports, postfix, dovecot = mail
    diary, filter_name = (postfix, "postfix") if name.startswith("smtp") else (dovecot, "dovecot")
    await settle((postfix, dovecot))
    snapshot = await scan_target(full_request("127.0.0.1", ports[name], protocol=HOSTS[name]), tools)
    await tools.close()
    assert snapshot.posture is not None
    await diary.collect(tools.connections, datetime.now(UTC) - timedelta(days=1))
    assert judge(diary.lines, filter_name, folder).banned
