"""What decides over a rule at a host: snoozes that run, and the last transitions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from vigilo.adapters.postgres import Connection
from vigilo.alerting.why import Silence
from vigilo.events.alerts import AlertTransition
from vigilo.events.hosts import Host


async def silences(connection: Connection, rule_id: UUID, host: Host, *, at: datetime) -> list[Silence]:
    """The snoozes of the host, the rule and the host's tags that run now, the last to end first."""
    found = await connection.execute(
        "select tag, until, reason, by from config.snoozes where status <> 'deleted' and since <= %s and until > %s "
        "and (rule_id = %s or tag = any(%s))",
        (at, at, rule_id, list(host.tags)),
    )
    running = [
        Silence("rule" if row["tag"] is None else "tag", row["until"], row["reason"], row["by"], row["tag"])
        for row in await found.fetchall()
    ]
    own = host.snooze
    if own is not None and own.since <= at < own.until:
        running.append(Silence("host", own.until, own.reason, own.by))
    return sorted(running, key=lambda one: one.until, reverse=True)


async def of_rule(connection: Connection, rule_id: UUID, host_id: UUID, *, limit: int) -> list[AlertTransition]:
    """The last transitions of the rule at the host, newest first."""
    found = await connection.execute(
        "select t.event from read_model.alert_transitions t "
        "join read_model.alerts a on a.alert_id = t.alert_id and a.host_id = t.host_id "
        "where t.host_id = %s and a.rule_id = %s order by t.at desc, t.n desc limit %s",
        (host_id, rule_id, limit),
    )
    return [AlertTransition.model_validate(row["event"]) for row in await found.fetchall()]


async def of_alert(connection: Connection, alert_id: UUID, *, limit: int) -> list[AlertTransition]:
    """The last transitions of the alert, newest first."""
    found = await connection.execute(
        "select event from read_model.alert_transitions where alert_id = %s order by n desc limit %s",
        (alert_id, limit),
    )
    return [AlertTransition.model_validate(row["event"]) for row in await found.fetchall()]
