"""What a trigger looks at, and the question each trigger is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import Course, Knowledge
from vigilo.events.cards import PathCertificate
from vigilo.events.help import Help
from vigilo.events.hosts import Host

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class View:
    """One host: its record, what its report cards told, and when. `known` None = no report card yet."""

    host: Host
    known: Knowledge | None = None
    course: Course = field(default_factory=Course)

    @property
    def leaf(self) -> PathCertificate | None:
        """The last leaf seen."""
        return None if self.known is None else self.known.leaf


def _never(trigger: BaseModel, view: View, at: datetime) -> datetime | None:
    """Only a scan can change the answer: a certificate or a setting may have been replaced meanwhile."""
    return None


def _always(trigger: BaseModel, view: View) -> bool:
    return True


def _leaf(trigger: BaseModel, view: View) -> PathCertificate | None:
    return view.leaf


def helped_by(anchor: Help) -> Callable[[BaseModel, View], Help]:
    """For a question that is explained in one place, whatever the answer."""
    return lambda trigger, view: anchor


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One trigger as functions of (its parameters, the view, an instant).

    `judge`: the answer. `next_change`: the next instant at which time alone changes it. `applicable`: False where the
    question has lost its sense. `matter` and `cleared`: what is wrong, and what is well again, in a few words.
    `help`: which entry of the troubleshooting page explains it. `certificate`: the one the answer hangs on.
    """

    judge: Callable[[T, View, datetime], Judgement]
    matter: Callable[[T, View, datetime], str]
    cleared: Callable[[T, View, datetime], str]
    help: Callable[[T, View], Help]
    next_change: Callable[[T, View, datetime], datetime | None] = _never
    applicable: Callable[[T, View], bool] = _always
    certificate: Callable[[T, View], PathCertificate | None] = _leaf

    @property
    def by_clock(self) -> bool:
        """True if time alone may ever change an answer."""
        return self.next_change is not _never
