"""Does the host serve another certificate of its own than before? A notice, no state: one transition, closed at once.

What the grader calls unexpected is what a mere renewal would not do, with one exception made here: CAs rotate their
issuing certificates, and a renewal then comes from another one of the same organisation (O of the issuer's name: Let's
Encrypt R10, R11, E5 ...). The card of the change keeps that it was another issuer; nobody is woken for it. A stranger
who claims the organisation's name in a certificate of his own makes chain validation fail.
"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.cards import CertificateChange, ChangeKind, Unexpected
from vigilo.events.help import Help
from vigilo.events.triggers import CertificateChanged
from vigilo.tls.distinguished_names import organisation


def judge(trigger: CertificateChanged, view: View, at: datetime) -> Judgement:
    """Unknown at any time: what is told once is no state that could hold or be over."""
    return Judgement.UNKNOWN


def notices(trigger: CertificateChanged, change: CertificateChange) -> bool:
    """True if the rule tells of this change. Other intermediates under the same leaf are no change of certificate."""
    if change.kind is not ChangeKind.LEAF:
        return False
    return trigger.which == "any" or bool(surprises(change))


def surprises(change: CertificateChange) -> tuple[Unexpected, ...]:
    """What was unexpected of it, without another issuer of the same organisation."""
    same = same_organisation(change.old.issuer, change.new.issuer)
    return tuple(one for one in change.unexpected if not (same and one is Unexpected.ISSUER_CHANGED))


def same_organisation(one: str, other: str) -> bool:
    """True if two distinguished names (RFC 4514) name the same organisation; False if one of them names none.

    Compared by letters and digits alone: `DigiCert Inc` and `DigiCert, Inc.` are one.
    """
    first, second = _letters(organisation(one)), _letters(organisation(other))
    return first != "" and first == second


def _letters(name: str | None) -> str:
    return "".join(char for char in (name or "").casefold() if char.isalnum())


def _matter(trigger: CertificateChanged, view: View, at: datetime) -> str:
    return "certificate changed"


QUESTION = Question(judge=judge, matter=_matter, cleared=_matter, help=helped_by(Help.CERTIFICATE_CHANGED))
