from __future__ import annotations

import pytest

from services.api.signin.pages.forms import local_path, password_errors, person_errors

GOOD = {"name": "Ada", "password": "a sentence nobody would guess", "repeated": "a sentence nobody would guess"}


@pytest.mark.parametrize(
    "path",
    [
        "//evil",
        "/\\evil",
        "https://evil",
        "",
        "x",
        "/a?b=c",
        "/a#b",
        "/a\r\nb",
        "/api",
        "/api/v1/docs",
        "/%2f/evil",
        "/é",
    ],
)
def test_elsewhere_is_the_start(path: str) -> None:
    assert local_path(path) == "/"


@pytest.mark.parametrize("path", ["/", "/account", "/invitations/abc_DEF-1"])
def test_a_path_of_ours_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize("email", ["", "x", "a b@c", "a@b@c", "a@b\u202e", "x" * 255 + "@y"])
def test_an_address_has_one_at_sign_and_nothing_hidden(email: str) -> None:
    assert person_errors(GOOD, email=email).keys() == {"email"}


@pytest.mark.parametrize("name", ["", "  ", "A\u200bda", "x" * 201])
def test_a_name_can_be_read(name: str) -> None:
    assert person_errors({**GOOD, "name": name}, email="a@b").keys() == {"name"}


def test_a_password_is_written_twice() -> None:
    assert password_errors(GOOD, email="a@b") == {}
    assert password_errors({**GOOD, "repeated": "x"}, email="a@b").keys() == {"repeated"}
    assert password_errors({}, email="a@b").keys() == {"password"}
