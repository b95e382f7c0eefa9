"""Tables without `workspace_id`: the whole list, by `schema.table`. Everything else has forced row-level security.

A table may stand here only if no row of it belongs to one workspace.
"""

from __future__ import annotations

from typing import Final

WITHOUT_WORKSPACE: Final = frozenset(
    {
        # What yoyo applied.
        "migrations._yoyo_log",
        "migrations._yoyo_migration",
        "migrations._yoyo_version",
        "migrations.yoyo_lock",
        # A person may be a member of several workspaces; config.memberships says of which, by a policy of this table.
        "config.users",
        # How people sign in, before any workspace is chosen. No role reads these: functions answer for one secret each.
        "config.sessions",
        "config.sign_in_links",
        "config.sign_in_failures",
        # DER by its SHA-256, shared; read_model.workspace_certificates says who may see it, by a policy of this table.
        "read_model.certificates",
        # How far the projector has read.
        "read_model.projector_offsets",
        # The notifier serves all workspaces; no other role has a right on these.
        "notifier.consumed_offsets",
        "notifier.outbox",
    }
)
