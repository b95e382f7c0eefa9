"""Messages tell by name who acknowledged an alert or tests a channel; the notifier sees nothing else of people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest

from services.notifier.tellings import TestTelling, TransitionTelling
from tests.fakes.alerts import WORKSPACE
from tests.integration.notifier.ledger_lab import Lab, channel
from tests.integration.notifier.stage import START, Stage, alerts
from vigilo.events.alerts import TransitionKind
from vigilo.events.deliveries import DeliveryCommand, DeliveryCommandKind

pytestmark = pytest.mark.postgres

OTHERS = uuid4()


@contextmanager
def admin(lab: Lab) -> Iterator[psycopg.Connection]:
    with psycopg.connect(lab.admin_url, autocommit=True) as connection:
        for workspace in (WORKSPACE, OTHERS):
            connection.execute(
                "insert into config.workspaces (workspace_id, slug, name, version, created_at, updated_at) "
                "values (%s, %s, 'w', 1, now(), now()) on conflict do nothing",
                (workspace, f"w-{workspace.hex[-8:]}"),
            )
        yield connection


def add_token(lab: Lab, name: str, *, workspace_id: UUID = WORKSPACE, user_id: UUID | None = None) -> str:
    """The actor that this token is."""
    token_id = uuid4()
    with admin(lab) as connection:
        connection.execute(
            "insert into config.tokens (token_id, workspace_id, name, sha256, role, kind, user_id, created_at) "
            "values (%s, %s, %s, %s, 'viewer', %s, %s, now())",
            (token_id, workspace_id, name, token_id.bytes * 2, "personal" if user_id else "service", user_id),
        )
    return f"token:{token_id}"


def add_member(lab: Lab, name: str, *, workspace_id: UUID = WORKSPACE) -> UUID:
    user_id = uuid4()
    with admin(lab) as connection:
        connection.execute(
            "insert into config.users (user_id, email, name, created_at, updated_at) values (%s, %s, %s, now(), now())",
            (user_id, f"{user_id}@acme.test", name),
        )
        connection.execute(
            "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
            "values (%s, %s, 'member', 'local', now(), now())",
            (workspace_id, user_id),
        )
    return user_id


async def named(lab: Lab, by: str) -> tuple[str | None, str | None]:
    """What an acknowledgement by that actor, and a test it asks for, have as its name when they are sent."""
    stage = Stage(lab)
    one = lab.add_channel("https://x.test/")
    await stage.enter(("channels", channel(one)))
    await stage.enter(*alerts(TransitionKind.OPENED, 1, one))
    (topic, seen), *_ = alerts(TransitionKind.ACKNOWLEDGED, 1, one, n=2)
    asked = DeliveryCommand(
        command_id=uuid4(),
        workspace_id=WORKSPACE,
        channel_id=one,
        kind=DeliveryCommandKind.TEST,
        by=by,
        at=START,
    )
    await stage.enter((topic, seen.model_copy(update={"by": by})), ("delivery-commands", asked))
    await stage.work()
    (change,) = [
        claimed.telling
        for claimed in stage.claims
        if isinstance(claimed.telling, TransitionTelling) and claimed.telling.transition.by == by
    ]
    (test,) = [claimed.telling for claimed in stage.claims if isinstance(claimed.telling, TestTelling)]
    assert await stage.rows("telling", "telling::text like '%by_name%'") == []
    return change.by_name, test.by_name


async def test_a_member_and_a_token_are_named(lab: Lab) -> None:
    assert await named(lab, add_token(lab, "deploy")) == ("deploy", "deploy")
    lab.forget()
    assert await named(lab, f"user:{add_member(lab, 'Ada')}") == ("Ada", "Ada")
    lab.forget()
    nameless = add_member(lab, "")
    assert await named(lab, f"user:{nameless}") == (f"{nameless}@acme.test",) * 2


async def test_who_is_of_another_workspace_or_gone_or_nobody_has_no_name(lab: Lab) -> None:
    gone = add_member(lab, "Gone")
    buried = add_token(lab, "buried")
    with admin(lab) as connection:
        connection.execute("delete from config.memberships where user_id = %s", (gone,))
        connection.execute("delete from config.tokens where name = 'buried'")
    for actor in (
        add_token(lab, "theirs", workspace_id=OTHERS),
        f"user:{add_member(lab, 'Theirs', workspace_id=OTHERS)}",
        f"user:{gone}",
        buried,
        "user:nobody",
        "system",
    ):
        assert await named(lab, actor) == (None, None), actor
        lab.forget()


async def test_a_revoked_token_keeps_its_name_and_a_personal_one_has_none(lab: Lab) -> None:
    revoked, personal = add_token(lab, "revoked"), add_token(lab, "mine", user_id=add_member(lab, "Ada"))
    with admin(lab) as connection:
        connection.execute("update config.tokens set revoked_at = now() where name = 'revoked'")
    assert await named(lab, revoked) == ("revoked", "revoked")
    lab.forget()
    assert await named(lab, personal) == (None, None)


def test_names_are_for_the_notifier_alone_and_only_to_be_read(lab: Lab) -> None:
    with admin(lab) as connection:
        granted = connection.execute(
            "select grantee, privilege_type from information_schema.role_table_grants "
            "where table_schema = 'notifier' and table_name = 'actor_names' and grantee <> 'vigilo_migrator'"
        ).fetchall()
        assert granted == [("vigilo_notifier", "SELECT")]
    with psycopg.connect(lab.url, autocommit=True) as notifier:
        for table in ("users", "memberships", "tokens"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                notifier.execute(f"select * from config.{table}")
        columns = notifier.execute("select * from notifier.actor_names limit 0").description
        assert [column.name for column in columns or ()] == ["workspace_id", "actor", "name"]
