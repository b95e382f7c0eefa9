from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scanner.courtesy import Courtesy
from services.scanner.sightings import Unsuccessful
from vigilo.events.scans import Outcome

ONE, OTHER = ip_address("192.0.2.1"), ip_address("192.0.2.2")


@dataclass
class Crowd:
    """People who enter, stay until told to go, and how many of them are inside."""

    courtesy: Courtesy
    inside: dict[str, int] = field(default_factory=lambda: {"handshake": 0, "probe": 0})
    order: list[str] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def come(self, kind: str) -> None:
        deadline = asyncio.get_running_loop().time() + 10
        turn = self.courtesy.probe(ONE) if kind == "probe" else self.courtesy.handshake(ONE, deadline=deadline)
        async with turn:
            self.inside[kind] += 1
            self.order.append(kind)
            await self.go.wait()
            self.inside[kind] -= 1


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_probes_of_all_scans_together_are_no_more_than_those_of_one() -> None:
    crowd = Crowd(Courtesy(per_address=10, probes_per_address=5))
    coming = [asyncio.create_task(crowd.come(kind)) for kind in ("probe",) * 20 + ("handshake",) * 20]
    await _settle()
    assert crowd.inside == {"probe": 5, "handshake": 5}
    assert crowd.courtesy.waiting == 30
    crowd.go.set()
    await asyncio.gather(*coming)
    assert crowd.courtesy.is_free(ONE)


async def test_handshakes_are_called_in_before_probes() -> None:
    crowd = Crowd(Courtesy(per_address=1, probes_per_address=1))
    coming = [asyncio.create_task(crowd.come(kind)) for kind in ("probe", "probe", "probe", "handshake")]
    await _settle()
    crowd.go.set()
    await asyncio.gather(*coming)
    assert crowd.order == ["probe", "handshake", "probe", "probe"]


async def test_another_address_does_not_wait() -> None:
    courtesy = Courtesy(per_address=1, probes_per_address=1)
    async with courtesy.probe(ONE), asyncio.timeout(1), courtesy.probe(OTHER):
        assert not courtesy.is_free(OTHER)


async def test_a_handshake_that_gets_no_turn_is_not_performed() -> None:
    courtesy = Courtesy(per_address=1, probes_per_address=1)
    async with courtesy.probe(ONE):
        with pytest.raises(Unsuccessful) as failure:
            async with courtesy.handshake(ONE, deadline=asyncio.get_running_loop().time() + 0.01):
                raise AssertionError("entered")
        assert failure.value.outcome is Outcome.NOT_PERFORMED
        assert courtesy.waiting == 0
    assert courtesy.is_free(ONE)


async def test_a_turn_called_in_while_its_owner_is_cancelled_is_passed_on() -> None:
    courtesy = Courtesy(per_address=1, probes_per_address=1)
    crowd = Crowd(courtesy)
    crowd.go.set()
    async with courtesy.probe(ONE):
        leaving = asyncio.create_task(crowd.come("probe"))
        staying = asyncio.create_task(crowd.come("probe"))
        await _settle()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.wait_for(staying, 1)
    assert crowd.order == ["probe"]
    assert courtesy.is_free(ONE)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["handshake", "probe"]), st.integers(0, 4), st.booleans()), max_size=40),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_whoever_comes_goes_or_is_cancelled_the_limits_hold(
    people: list[tuple[str, int, bool]], per_address: int, probes: int
) -> None:
    async def play() -> None:
        courtesy, inside = Courtesy(per_address, probes), {"handshake": 0, "probe": 0}

        async def person(kind: str, stay: int) -> None:
            deadline = asyncio.get_running_loop().time() + 10
            turn = courtesy.probe(ONE) if kind == "probe" else courtesy.handshake(ONE, deadline=deadline)
            async with turn:
                inside[kind] += 1
                assert inside["probe"] <= probes
                assert sum(inside.values()) <= per_address
                try:
                    for _ in range(stay):
                        await asyncio.sleep(0)
                finally:
                    inside[kind] -= 1

        tasks = []
        for kind, stay, leaves in people:
            tasks.append(asyncio.create_task(person(kind, stay)))
            await asyncio.sleep(0)
            if leaves:
                tasks[len(tasks) // 2].cancel()
        ends = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends)
        assert courtesy.is_free(ONE)

    asyncio.run(play())
