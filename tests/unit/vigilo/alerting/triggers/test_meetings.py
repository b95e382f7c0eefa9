"""What each end of a scan says to the two questions about the connection, and to all the others."""

from __future__ import annotations

import pytest

from tests.fakes.inputs import NOON, card
from tests.unit.vigilo.alerting.asked import every_trigger
from tests.unit.vigilo.alerting.sights import cleared, judge, matter, well
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import learn
from vigilo.alerting.triggers.meetings import MEETINGS
from vigilo.events.scans import Outcome
from vigilo.events.triggers import ExpiresInLessThan, NotTls, ScanOverdue, Unreachable

YES, NO, UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN
# outcome: unreachable, not TLS
TABLE = {
    Outcome.OK: (NO, NO),
    Outcome.NAME_NOT_FOUND: (YES, UNKNOWN),
    Outcome.DNS_FAILURE: (YES, UNKNOWN),
    Outcome.DNS_TIMEOUT: (YES, UNKNOWN),
    Outcome.DENIED: (UNKNOWN, UNKNOWN),
    Outcome.REFUSED: (YES, UNKNOWN),
    Outcome.UNREACHABLE: (YES, UNKNOWN),
    Outcome.CONNECT_TIMEOUT: (YES, UNKNOWN),
    Outcome.TLS_TIMEOUT: (YES, UNKNOWN),
    Outcome.RESET: (YES, UNKNOWN),
    Outcome.CLOSED: (YES, UNKNOWN),
    Outcome.TLS_ALERT: (NO, NO),
    Outcome.TLS_FAILURE: (NO, NO),
    Outcome.NOT_TLS: (NO, YES),
    Outcome.STARTTLS_REFUSED: (NO, YES),
    Outcome.THROTTLED: (UNKNOWN, UNKNOWN),
    Outcome.NOT_PERFORMED: (UNKNOWN, UNKNOWN),
}
# Of these the last certificate and the clock tell, whatever the last scan met.
BY_THE_CLOCK = (ExpiresInLessThan, ScanOverdue)


def test_every_outcome_has_its_line() -> None:
    assert set(MEETINGS) == set(Outcome) == set(TABLE)


@pytest.mark.parametrize("outcome", Outcome)
def test_what_an_outcome_says(outcome: Outcome) -> None:
    met = well(outcome=outcome)
    assert (judge(Unreachable(), met), judge(NotTls(), met)) == TABLE[outcome]


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_a_failed_scan_answers_nothing_but_these_two(outcome: Outcome) -> None:
    failed = learn(well(), card(requested_at=NOON, outcome=outcome))
    for trigger in every_trigger():
        if not isinstance(trigger, (Unreachable, NotTls, *BY_THE_CLOCK)):
            assert judge(trigger, failed) is UNKNOWN, trigger


@pytest.mark.parametrize("outcome", Outcome)
def test_a_pool_that_has_lost_its_network_answers_nothing(outcome: Outcome) -> None:
    lost = learn(well(), card(requested_at=NOON, outcome=outcome, path=well().path, pool_suspect=True))
    for trigger in every_trigger():
        if not isinstance(trigger, BY_THE_CLOCK):
            assert judge(trigger, lost) is UNKNOWN, trigger


def test_the_words_say_how_the_host_was_met() -> None:
    refused, ssh = well(outcome=Outcome.REFUSED), well(outcome=Outcome.NOT_TLS)
    assert matter(Unreachable(), refused) == "unreachable: connection refused"
    assert cleared(Unreachable(), well()) == "reachable (TLS was spoken)"
    assert cleared(Unreachable(), ssh) == "reachable (what answers does not speak TLS)"
    assert matter(NotTls(), ssh) == "not TLS: what answers does not speak TLS"
    assert cleared(NotTls(), well()) == "TLS is spoken"
    # A rule that was edited meanwhile, or a snooze that ended: nothing is claimed that the last scan did not see.
    assert matter(Unreachable(), well(outcome=Outcome.THROTTLED)) == "unreachable"


def test_an_expiry_told_of_a_host_that_is_gone_says_that_it_is_as_last_seen() -> None:
    gone = learn(well(), card(requested_at=NOON, outcome=Outcome.REFUSED))
    told = matter(ExpiresInLessThan(days=90), gone)
    assert told.endswith("expires in 60 days (2027-01-22 12:00 UTC), as last seen (the last scan: connection refused)")
