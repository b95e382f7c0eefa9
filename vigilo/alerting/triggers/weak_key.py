"""Is a key or a signature of the served chain weaker than this?

Each certificate as served counts, of a root only the key: its own signature proves nothing that anybody relies on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from vigilo.alerting.judgement import Judgement, any_of
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.cards import PathCertificate
from vigilo.events.facts import WeakKeyHint
from vigilo.events.help import Help
from vigilo.events.scans import Outcome
from vigilo.events.triggers import WeakKey
from vigilo.tls.weak_choices import key_is_short, signature_is_weak

_JUDGED = {True: Judgement.TRUE, False: Judgement.FALSE, None: Judgement.UNKNOWN}


def judge(trigger: WeakKey, view: View, at: datetime) -> Judgement:
    """Of the chain that the last scan saw; one that saw none says nothing."""
    known = view.known
    if known is None or known.pool_suspect or known.outcome is not Outcome.OK:
        return Judgement.UNKNOWN
    return any_of(_judge_one(trigger, one) for one in _served(view))


def weakness(trigger: WeakKey, view: View) -> str | None:
    """What is weak, in which certificate, leaf first; None if nothing is known to be."""
    found = [f"{what} in {one.subject or 'a certificate without a name'}" for what, one in _weaknesses(trigger, view)]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else None


def weakest(trigger: WeakKey, view: View) -> PathCertificate | None:
    """The first certificate with a weakness, else the leaf."""
    return next((one for _, one in _weaknesses(trigger, view)), view.leaf)


def _served(view: View) -> tuple[PathCertificate, ...]:
    return () if view.known is None else view.known.path


def _judge_one(trigger: WeakKey, one: PathCertificate) -> Judgement:
    return any_of((_JUDGED[_key_is_weak(trigger, one)], _JUDGED[_signature_is_weak(one)]))


def _weaknesses(trigger: WeakKey, view: View) -> Iterator[tuple[str, PathCertificate]]:
    for one in _served(view):
        if _key_is_weak(trigger, one):
            yield _key(one), one
        if _signature_is_weak(one):
            yield str(one.signature_algorithm), one


def _key_is_weak(trigger: WeakKey, one: PathCertificate) -> bool | None:
    if _known_weak(one):
        return True
    return key_is_short(one.key_algorithm, one.key_bits, rsa_bits=trigger.rsa_bits, curve_bits=trigger.curve_bits)


def _known_weak(one: PathCertificate) -> tuple[WeakKeyHint, ...]:
    # A small exponent is allowed (Baseline Requirements section 6.1.6), only not advised.
    return tuple(hint for hint in one.weak_key if hint is not WeakKeyHint.EXPONENT_SMALL)


def _signature_is_weak(one: PathCertificate) -> bool | None:
    is_root = bool(one.subject) and one.subject == one.issuer
    return False if is_root else signature_is_weak(one.signature_algorithm)


def _key(one: PathCertificate) -> str:
    bits = "" if one.key_bits is None else f" {one.key_bits} bits"
    known = _known_weak(one)
    return f"{one.key_algorithm}{bits}" + (f" ({', '.join(known)})" if known else "")


def _matter(trigger: WeakKey, view: View, at: datetime) -> str:
    weak = weakness(trigger, view)
    return f"weak key or signature: {weak}" if weak else "weak key or signature"


def _cleared(trigger: WeakKey, view: View, at: datetime) -> str:
    return "no weak key or signature in the chain"


QUESTION = Question(judge=judge, matter=_matter, cleared=_cleared, certificate=weakest, help=helped_by(Help.WEAK_KEY))
