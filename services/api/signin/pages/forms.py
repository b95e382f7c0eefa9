"""What people write into forms, and what is wrong with it, in words for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from services.api.signin.passwords import password_problem

LONGEST_EMAIL: Final = 254  # RFC 5321 section 4.5.3.1.3
_LONGEST_NAME: Final = 200
# Something before, something after, nothing hidden: whether mail arrives is nothing a pattern can tell.
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LOCAL_PATH = re.compile(r"/(?!/)[A-Za-z0-9/_.~-]*")

Errors = dict[str, str]


def person_errors(form: Mapping[str, str], *, email: str) -> Errors:
    """What is wrong with name and address."""
    errors: Errors = {}
    name = form.get("name", "").strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        errors["name"] = f"Write your name, {_LONGEST_NAME} characters at most."
    if len(email) > LONGEST_EMAIL or not email.isprintable() or not _EMAIL.fullmatch(email):
        errors["email"] = "Write an e-mail address, such as ada@example.com."
    return errors


def password_errors(form: Mapping[str, str], *, email: str) -> Errors:
    """What is wrong with a new password that was written twice."""
    password = form.get("password", "")
    if problem := password_problem(password, email=email):
        return {"password": problem}
    if form.get("repeated", "") != password:
        return {"repeated": "This is not the same password."}
    return {}


def plain_email(text: str) -> str:
    """The address as it is kept."""
    return text.strip().lower()


def local_path(text: str) -> str:
    """A path of ours to go to next; anything else leads to the start."""
    return text if _LOCAL_PATH.fullmatch(text) and not text.startswith("/api") else "/"
