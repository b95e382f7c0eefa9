"""Versions that are older than wanted."""

from __future__ import annotations

import pytest

from tests.unit.vigilo.alerting.sights import VERSIONS, cleared, judge, matter, well
from vigilo.alerting.judgement import Judgement
from vigilo.events.triggers import ProtocolBelow

TRUE, FALSE, UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN
MODERN, OLD = VERSIONS[4:], VERSIONS[:4]


@pytest.mark.parametrize(
    ("accepted", "rejected", "version", "expected"),
    [
        (MODERN, OLD, "TLSv1.2", FALSE),
        (MODERN, OLD, "TLSv1.1", FALSE),
        (MODERN, OLD, "TLSv1.3", TRUE),
        (("TLSv1.0", *MODERN), OLD[:2], "TLSv1.2", TRUE),
        (("SSLv2", "TLSv1.3"), (), "TLSv1.1", TRUE),
        (("TLSv1.1",), (), "TLSv1.1", UNKNOWN),
        (("TLSv1.3",), (), "TLSv1.2", UNKNOWN),
        (MODERN, OLD[1:], "TLSv1.2", UNKNOWN),
        ((), (), "TLSv1.2", UNKNOWN),
        ((), VERSIONS, "TLSv1.2", FALSE),
    ],
)
def test_any_older_version_accepted(
    accepted: tuple[str, ...], rejected: tuple[str, ...], version: str, expected: Judgement
) -> None:
    trigger = ProtocolBelow.model_validate({"version": version})
    assert judge(trigger, well(versions_accepted=accepted, versions_rejected=rejected)) is expected


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (("TLSv1.3",), FALSE),
        (("TLSv1.0", "TLSv1.2"), FALSE),
        (("TLSv1.0", "TLSv1.1"), TRUE),
        (("SSLv3",), TRUE),
        ((), UNKNOWN),
    ],
)
def test_judged_by_the_best_one_the_others_do_not_count(accepted: tuple[str, ...], expected: Judgement) -> None:
    trigger = ProtocolBelow(judged="best")
    assert judge(trigger, well(versions_accepted=accepted, versions_rejected=())) is expected


def test_the_words_name_the_versions() -> None:
    old = well(versions_accepted=("TLSv1.1", "TLSv1.0", "TLSv1.2"), versions_rejected=())
    assert matter(ProtocolBelow(), old) == "TLSv1.0, TLSv1.1 accepted, below TLSv1.2"
    assert cleared(ProtocolBelow(), well()) == "nothing below TLSv1.2 accepted"
    best = ProtocolBelow(version="TLSv1.3", judged="best")
    assert matter(best, old) == "best version below TLSv1.3: TLSv1.2"
    assert cleared(best, well()) == "best version is TLSv1.3"
