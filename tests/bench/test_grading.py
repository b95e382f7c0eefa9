"""How many report cards one core makes without Kafka, with Mozilla's whole root store; and what a hostile chain costs.

Each figure includes the host's rows (decoded, encoded) and the encoded card, but not the snapshot's decoding.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.grader.decide import GraderProcessor
from tests.bench.decision_rates import Bench
from tests.bench.figures import quantile, report
from tests.fakes.inputs import given
from tests.fakes.pki import Authority, Key, Options, ec_key, issue, rsa_key
from tests.fakes.snapshots import snapshot, target
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.events.scans import Snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NOW = datetime.now(UTC).replace(microsecond=0)
CHAINS = 1_500
HOSTILE = 30
LEVELS, NAMESAKES = 5, 6
NAMES = 2_000
ROUNDS = 3
YEARS = timedelta(days=3_650)
GOAL = ">= 500/s and core"
Chain = tuple[bytes, ...]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("Bench", key=rsa_key())


@pytest.fixture(scope="module")
def stores(authority: Authority) -> TrustStores:
    """Mozilla's roots and ours: how many there are is part of the cost."""
    mozilla = load_trust_stores()
    anchors = (*mozilla.public.anchors, authority.root.certificate)
    return TrustStores(public=AnchorSet("bench", anchors), distrust=mozilla.distrust)


def leaves(authority: Authority, count: int) -> list[Chain]:
    """A leaf each, half of them RSA, below one intermediate."""
    rsa, ec = rsa_key(), ec_key()
    options = (Options(key=rsa if number % 2 else ec) for number in range(count))
    return [authority.leaf(f"h{n}.acme.test", options=one).chain_der for n, one in enumerate(options)]


def strangers(authority: Authority, count: int) -> list[Chain]:
    """A leaf and an intermediate each: no certificate comes by twice."""
    key = ec_key()
    found: list[Chain] = []
    for number in range(count):
        below = Options(common_name=f"CA {number}", key=key, lifetime=YEARS, ca=True, eku=None)
        found.append(issue(Options(names=(f"h{number}.acme.test",), key=key), issue(below, authority.root)).chain_der)
    return found


def crossed(number: int) -> Chain:
    """Five levels of six certificates with one name and key each: 7,776 ways up, none to an anchor."""
    stubs = [issue(_level(number, level, ec_key())) for level in range(LEVELS + 1)]
    served = [
        issue(_level(number, level, stubs[level].key), stubs[level + 1]).der
        for level in range(LEVELS)
        for _ in range(NAMESAKES)
    ]
    return (issue(Options(names=(f"h{number}.acme.test",)), stubs[0]).der, *served)


def _level(number: int, level: int, key: Key) -> Options:
    return Options(common_name=f"{number} level {level}", key=key, lifetime=YEARS, ca=True, eku=None)


def named_a_lot(authority: Authority, number: int) -> Chain:
    """A leaf of 2,000 names."""
    return authority.leaf(*(f"n{name}.h{number}.acme.test" for name in range(NAMES))).chain_der


class Grading:
    """One process' grader with a cold cache."""

    def __init__(self, stores: TrustStores) -> None:
        judge = TrustJudge(stores)
        self.bench = Bench(GraderProcessor(lambda _: judge))
        self.seconds: list[float] = []

    def card(self, seen: Snapshot, *, offset: int) -> None:
        """One card of a host never seen; notes what it cost."""
        self.bench.row, self.bench.side = None, {}
        one = given("snapshots", seen, offset=offset)
        began = time.process_time()
        assert self.bench.apply(one, at=NOW) == 1
        self.seconds.append(time.process_time() - began)


def of_hosts(chains: Sequence[Chain]) -> list[Snapshot]:
    """A snapshot of a host of its own for each chain."""
    return [
        snapshot(
            chain,
            at=NOW,
            number=number,
            hostname=f"h{number}.acme.test",
            target=target(f"h{number}.acme.test").model_copy(update={"host_id": UUID(int=number)}),
        )
        for number, chain in enumerate(chains)
    ]


def rounds_of(stores: TrustStores, seen: Sequence[Snapshot], *, warm: bool = False) -> list[float]:
    """CPU seconds of each card, of the best of three rounds; each round begins with an empty cache, unless `warm`."""
    found: list[list[float]] = []
    for _ in range(ROUNDS):
        grading = Grading(stores)
        for _ in range(2 if warm else 1):
            grading.seconds.clear()
            for offset, one in enumerate(seen):
                grading.card(one, offset=offset)
        found.append(grading.seconds)
    return min(found, key=sum)


def print_rate(what: str, seconds: Sequence[float], *, of: str = "") -> None:
    worst = quantile(seconds, 0.99) * 1_000
    report(what, f"{len(seconds) / sum(seconds):,.0f}/s; 99 % {worst:.1f} ms", target=of)


def verdict(stores: TrustStores, chain: Chain) -> tuple[Verdict, TrustReason | None]:
    """What the chain is in the end."""
    found = TrustJudge(stores).judge(chain, TrustDomain.PUBLIC, at=NOW)
    return found.trusted, found.reason


def test_cards_of_chains_seen_for_the_first_time_and_again(authority: Authority, stores: TrustStores) -> None:
    ordinary, new = leaves(authority, CHAINS), strangers(authority, CHAINS)
    assert verdict(stores, ordinary[0]) == verdict(stores, new[0]) == (Verdict.YES, None)
    print_rate("cards, every leaf another one, below one intermediate", rounds_of(stores, of_hosts(ordinary)), of=GOAL)
    print_rate("cards, no certificate seen twice", rounds_of(stores, of_hosts(new)), of=GOAL)
    print_rate("cards, verdicts kept", rounds_of(stores, of_hosts(ordinary), warm=True))


def test_cards_of_refused_chains(authority: Authority, stores: TrustStores) -> None:
    alone = [(chain[0],) for chain in leaves(authority, CHAINS // 5)]
    assert verdict(stores, alone[0])[0] is Verdict.NO
    print_rate("cards, every leaf another one, its intermediate left out", rounds_of(stores, of_hosts(alone)))


def test_what_a_hostile_chain_takes_from_others(authority: Authority, stores: TrustStores) -> None:
    plain = rounds_of(stores, of_hosts(leaves(authority, 10 * HOSTILE)))
    tangled, long = [crossed(n) for n in range(HOSTILE)], [named_a_lot(authority, n) for n in range(HOSTILE)]
    assert verdict(stores, tangled[0]) == (Verdict.UNKNOWN, TrustReason.TOO_COMPLEX)
    for what, chains in ((f"{LEVELS} x {NAMESAKES} crossed certificates", tangled), (f"{NAMES:,} names", long)):
        seconds = rounds_of(stores, of_hosts(chains))
        ratio = quantile(seconds, 0.5) / quantile(plain, 0.5)
        worst = f"{max(seconds) * 1_000:.1f} ms at worst; {ratio:.1f} ordinary cards"
        report(f"card of a chain with {what}", worst)
