"""Which posture a snapshot tells of: found, proved unchanged, or carried."""

from __future__ import annotations

from typing import Any

import pytest

from services.scanner.carrying import posture_fields
from services.scanner.sightings import PostureSeen
from tests.fakes.inputs import NOON, posture
from tests.fakes.scan_requests import full_request
from vigilo.events.ids import new_id
from vigilo.events.posture import Posture, PostureOrigin, PostureSource
from vigilo.events.scans import Baseline, Depth, Outcome, ScanRequested

KNOWN, OTHER, NOTHING = posture(), posture(accepted=("TLSv1.0", "TLSv1.2")), posture(accepted=())
ADDRESSES = (KNOWN, posture(address="192.0.2.2"))
ORIGIN = PostureOrigin(source=PostureSource.CHECKED, scan_id=new_id(), measured_at=NOON, checked_at=NOON)
MEASURED, CHECKED, CARRIED = PostureSource


def request(*, known: bool = True, **changes: Any) -> ScanRequested:
    fields = {"posture": KNOWN, "posture_origin": ORIGIN, "address_postures": ADDRESSES} if known else {}
    baseline = Baseline(scan_id=new_id(), requested_at=NOON, **{**fields, **changes})
    return full_request("a.test", baseline=baseline)


def source(fields: dict[str, Any]) -> PostureSource | None:
    origin = fields.get("posture_origin")
    return None if origin is None else origin.source


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.TLS_ALERT, Outcome.TLS_FAILURE])
def test_a_light_scan_repeats_what_is_known_whenever_tls_was_spoken(outcome: Outcome) -> None:
    fields = posture_fields(request(), outcome, PostureSeen())
    assert (fields["depth"], fields["posture"], fields["address_postures"]) == (Depth.LIGHT, KNOWN, ADDRESSES)
    assert fields["posture_origin"] == ORIGIN.model_copy(update={"source": CARRIED})


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.TLS_TIMEOUT, Outcome.NOT_TLS, Outcome.THROTTLED])
def test_without_tls_nothing_is_repeated(outcome: Outcome) -> None:
    assert posture_fields(request(), outcome, PostureSeen()) == {"depth": Depth.LIGHT, "throttled": False}


def test_nothing_known_and_nothing_asked_is_no_posture() -> None:
    for asked in (request(known=False), full_request("a.test")):
        assert posture_fields(asked, Outcome.OK, PostureSeen()) == {"depth": Depth.LIGHT, "throttled": False}


def test_what_a_full_scan_finds_stands_for_itself() -> None:
    asked = request()
    fields = posture_fields(asked, Outcome.OK, PostureSeen((OTHER,), Depth.FULL))
    assert (fields["depth"], fields["posture"], fields["address_postures"]) == (Depth.FULL, OTHER, ())
    assert fields["posture_origin"] == PostureOrigin(
        source=MEASURED, scan_id=asked.scan_id, measured_at=asked.requested_at, checked_at=asked.requested_at
    )


def test_a_check_renews_the_date_and_nothing_else() -> None:
    asked = request()
    fields = posture_fields(asked, Outcome.OK, PostureSeen((KNOWN,), Depth.POSTURE))
    assert (fields["depth"], fields["posture"], fields["address_postures"]) == (Depth.POSTURE, KNOWN, ADDRESSES)
    assert fields["posture_origin"] == ORIGIN.model_copy(update={"checked_at": asked.requested_at})


@pytest.mark.parametrize("depth", [Depth.POSTURE, Depth.FULL])
@pytest.mark.parametrize("got", [(), (posture(throttled=True),)])
def test_a_throttled_scan_repeats_what_is_known(depth: Depth, got: tuple[Posture, ...]) -> None:
    fields = posture_fields(request(), Outcome.OK, PostureSeen(got, depth, throttled=True))
    assert (fields["depth"], fields["throttled"], fields["posture"], source(fields)) == (depth, True, KNOWN, CARRIED)


def test_a_throttled_scan_of_an_unknown_host_keeps_what_it_got() -> None:
    got = posture(throttled=True)
    fields = posture_fields(request(known=False), Outcome.OK, PostureSeen((got,), Depth.FULL, throttled=True))
    assert (fields["throttled"], fields["posture"], source(fields)) == (True, got, MEASURED)


def test_an_enumeration_of_nothing_replaces_nothing_while_the_handshake_goes_well() -> None:
    deeper = PostureSeen((NOTHING,), Depth.FULL)
    well = posture_fields(request(), Outcome.OK, deeper)
    assert (well["depth"], well["posture"], source(well)) == (Depth.FULL, KNOWN, CARRIED)
    badly = posture_fields(request(), Outcome.TLS_ALERT, deeper)
    assert (badly["posture"], source(badly)) == (NOTHING, MEASURED)


def test_a_baseline_without_origin_is_of_its_own_scan() -> None:
    asked = request(posture_origin=None)
    assert asked.baseline is not None
    origin = posture_fields(asked, Outcome.OK, PostureSeen())["posture_origin"]
    assert (origin.scan_id, origin.measured_at, origin.checked_at) == (asked.baseline.scan_id, NOON, NOON)
