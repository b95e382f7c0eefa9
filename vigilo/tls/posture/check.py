"""Is a server's posture what it was? At most 14 connections prove it in both directions, or say what changed. Pure.

The strategy is a generator: it yields offers that may be asked side by side, is sent their answers in the same order,
and returns a verdict.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vigilo.events.posture import Posture, Support
from vigilo.tls.posture.answers import Answer, Chosen
from vigilo.tls.posture.describe import ride_alongs
from vigilo.tls.posture.known import NotCheckable, read_posture
from vigilo.tls.posture.probes import Pick, Probe, Sureness, Surprise
from vigilo.tls.posture.recheck import Plan, plan_check
from vigilo.tls.wire.client_hello import Offer

_SHOWN = 5


class Sameness(StrEnum):
    """What a check found. Unclear and throttled say nothing about the server: what was known is still all there is."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "unclear"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`what` tells in words what was different or unclear, at most five things."""

    sameness: Sameness
    what: tuple[str, ...] = ()


Check = Generator[tuple[Offer, ...], Sequence[Answer], Verdict]


def check_posture(before: Posture, *, seed: str, alpn: bool) -> Check:
    """Asks whether `before` still holds; `seed` draws what is sampled, `alpn` as in the enumeration.

    A posture that cannot be proved in so many connections is `different`, at no connection at all.
    """
    try:
        plan = plan_check(read_posture(before), seed=seed, alpn=alpn)
    except NotCheckable as reason:
        return Verdict(Sameness.DIFFERENT, (f"not to be checked: {reason}",))
    (opened,) = yield (plan.opening.offer,)
    surprise = plan.opening.judge(opened)
    if surprise is not None:
        silent = surprise.sureness is Sureness.SILENT
        return Verdict(Sameness.THROTTLED if silent else Sameness.DIFFERENT, (surprise.what,))
    answers = yield tuple(probe.offer for probe in plan.middle)
    surprises = list(_surprises(plan.middle, answers))
    if any(one.sureness is Sureness.CERTAIN for one in surprises):
        return _verdict(surprises)
    (closed,) = yield (plan.closing.offer,)
    if (surprise := plan.closing.judge(closed)) is not None:
        surprises.append(surprise)
        if surprise.sureness is not Sureness.CERTAIN and not (yield from _is_still_there(plan)):
            return Verdict(Sameness.THROTTLED, ("the server stopped answering",))
    return _verdict([*surprises, *_ride_along_surprises(before, [opened, *answers, closed])])


def _is_still_there(plan: Plan) -> Generator[tuple[Offer, ...], Sequence[Answer], bool]:
    """The opening once more: the control probe, where the closing one could not serve as such."""
    (again,) = yield (plan.opening.offer,)
    return plan.opening.judge(again) is None


def _surprises(probes: Sequence[Probe], answers: Sequence[Answer]) -> Iterator[Surprise]:
    for probe, answer in zip(probes, answers, strict=True):
        if (surprise := probe.judge(answer)) is not None:
            yield surprise


def _verdict(surprises: Sequence[Surprise]) -> Verdict:
    changed = [one.what for one in surprises if one.sureness is not Sureness.SILENT]
    if changed:
        return Verdict(Sameness.DIFFERENT, tuple(changed[:_SHOWN]))
    if surprises:
        return Verdict(Sameness.UNCLEAR, tuple(one.what for one in surprises[:_SHOWN]))
    return Verdict(Sameness.SAME)


def _ride_along_surprises(before: Posture, answers: Sequence[Answer]) -> Iterator[Surprise]:
    """What the choices showed beside themselves; what was unknown before or is now is no difference."""
    chosen = [one for one in answers if isinstance(one, Chosen)]
    shown = ride_alongs(chosen)
    protocols = set(shown.pop("alpn"))
    if protocols - set(before.alpn) or (not protocols and any(one.offer.alpn for one in chosen)):
        yield Surprise(f"application protocols: {', '.join(sorted(protocols)) or 'none'}", Sureness.CERTAIN)
    for what, now in shown.items():
        known = getattr(before, what)
        if now != known and not {now, known} & {None, Support.UNKNOWN}:
            yield Surprise(f"{what.replace('_', ' ')}: {now}, was {known}", Sureness.CERTAIN)


__all__ = ["Check", "Pick", "Sameness", "Verdict", "check_posture"]
