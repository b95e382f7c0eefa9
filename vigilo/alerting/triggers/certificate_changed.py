"""Does the host serve another certificate of its own than before? A notice, no state: one transition, closed at once.

What the grader calls unexpected is what a mere renewal would not do, with one exception made here: CAs rotate their
issuing certificates, and a renewal then comes from another one of the same organisation (O of the issuer's name: Let's
Encrypt R10, R11, E5 ...). The card of the change keeps that it was another issuer; nobody is woken for it. A stranger
who claims the organisation's name in a certificate of his own makes chain validation fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

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


def told(change: CertificateChange) -> str:
    """The change in a few words, what was unexpected of it first; names by the first two."""
    found = ", ".join(_SAID[one](change) for one in surprises(change)) or "renewed"
    end = change.new.not_after
    until = "" if end is None else f"; the new one expires {end:%Y-%m-%d %H:%M} UTC"
    return f"certificate changed: {found}{until}"


def _issuer(change: CertificateChange) -> str:
    return f"issuer changed from {change.old.issuer} to {change.new.issuer}"


def _names(change: CertificateChange) -> str:
    said = change.names_lost[:_NAMES_SAID]
    count = max(change.names_lost_count or 0, len(change.names_lost), 1)
    listed = f" ({', '.join(said)}{' ...' if count > len(said) else ''})" if said else ""
    return f"{count} {'name' if count == 1 else 'names'} lost{listed}"


def _key(change: CertificateChange) -> str:
    return f"key weaker ({change.old_key or 'unknown'}, now {change.new_key or 'unknown'})"


def _early(change: CertificateChange) -> str:
    left = change.days_left_of_old
    return "replaced early" if left is None else f"replaced {left:.0f} days before its end"


_NAMES_SAID = 2
_SAID: Mapping[Unexpected, Callable[[CertificateChange], str]] = MappingProxyType(
    {
        Unexpected.ISSUER_CHANGED: _issuer,
        Unexpected.NAME_LOST: _names,
        Unexpected.KEY_WEAKER: _key,
        Unexpected.REPLACED_EARLY: _early,
    }
)


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


def applicable(trigger: CertificateChanged, view: View) -> bool:
    """Never: an alert that lived when its rule became this one closes."""
    return False


QUESTION = Question(
    judge=judge, matter=_matter, cleared=_matter, applicable=applicable, help=helped_by(Help.CERTIFICATE_CHANGED)
)
