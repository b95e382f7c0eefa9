"""What it means that we ourselves were away. Pure.

While we, or Kafka, were down, nobody heard of the scans that were performed, and no scheduler may have asked for any. A
timer that is applied long after it was due is the sign of it: then a scan is overdue only if the host goes without one
for another interval.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from vigilo.alerting.knowledge import Course
from vigilo.events.hosts import Host

# Ten thousand timers due at one instant are applied within seconds.
LATE = timedelta(minutes=2)


def excuse(course: Course, host: Host, *, due: datetime | None, at: datetime) -> Course:
    """The course at `at`, when something was to happen at `due` and did not until now."""
    if due is not None and at - due > LATE:
        return course.model_copy(update={"excused_until": at + host.interval.length})
    if course.excused_until is not None and course.excused_until <= at:
        return course.model_copy(update={"excused_until": None})
    return course
