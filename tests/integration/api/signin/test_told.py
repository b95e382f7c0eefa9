"""What people do outside the addresses of one workspace is in the audit log of theirs as well."""

from __future__ import annotations

import re
from collections.abc import Callable

from services.api.openapi import BASE
from tests.fakes.api_server import ApiServer
from tests.fakes.browser import Browser
from tests.fakes.routes import addresses, idle_app
from tests.integration.api.signin.conftest import PASSWORD, Person, audited

# By address, the test that sees what it writes.
CHANGING = {
    "/api/v1/invitations/accept": "test_audit_api.py",
    "/invitations/{secret}": "test_invitations.py",
    "/sign-in/link/{secret}": "test_links.py",
    "/sign-in": "here",
    "/sign-out": "here",
    "/account/sessions/{session_id}/end": "here",
    "/account/password": "here",
}


def test_no_changing_address_is_forgotten() -> None:
    unsafe = [one for one in addresses(idle_app()) if one.method not in {"GET", "HEAD", "OPTIONS"}]
    assert {one.path for one in unsafe if not one.path.startswith(BASE)} == set(CHANGING)


def test_a_visit_is_told_step_by_step(
    api: ApiServer, person: Person, browser: Browser, another: Callable[[], Browser]
) -> None:
    assert another().sign_in(person.email, PASSWORD).status_code == 303
    assert browser.sign_in(person.email, PASSWORD).status_code == 303
    (path,) = re.findall(r'action="(/account/sessions/[^"]+/end)"', browser.get("/account").text)
    assert browser.send(path, "/account").status_code == 303
    fresh = "another sentence nobody would guess"
    answer = browser.send("/account/password", "/account", present=PASSWORD, password=fresh, repeated=fresh)
    assert answer.status_code == 303, answer.text
    assert browser.send("/sign-out", "/account").status_code == 303
    actions = [action for action, _ in audited(api, person)]
    assert actions == ["user.sign-in", "user.sign-in", "session.end", "user.set-password", "user.sign-out"]
    told = api.rows(
        "select actor, origin, concat(before, after) as said from config.audit_entries where subject = %s",
        f"user:{person.user_id}",
    )
    assert {(row["actor"], row["origin"]) for row in told} == {(f"user:{person.user_id}", "127.0.0.1")}
    assert not [row for row in told if "sentence" in str(row["said"])]
