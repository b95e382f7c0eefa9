"""Which hosts a rule looks at."""

from __future__ import annotations

from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule, AllHosts, OneHost, TaggedHosts


def in_scope(rule: AlertRule, host: Host) -> bool:
    """True if the rule looks at the host: same workspace, and all / its tag / itself."""
    if rule.workspace_id != host.workspace_id:
        return False
    match rule.scope:
        case AllHosts():
            return True
        case TaggedHosts(tag=tag):
            return tag in host.tags
        case OneHost(host_id=host_id):
            return host_id == host.host_id
