"""Versions as entity tags: nobody overwrites what he has not seen.

Source: RFC 9110 section 8.8.3 (ETag), 13.1.1 (If-Match, strong comparison).
"""

from __future__ import annotations

import re
from typing import Final

from services.api.problems import Problem

# As the description tells it: tags of ours are numbers. Others are understood too, and match nothing.
IF_MATCH_PATTERN: Final = r'^([*]|"[0-9]{1,9}"(, ?"[0-9]{1,9}"){0,9})?$'
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')

# None: the header was not sent; "*": whatever version exists; else the versions that are accepted.
IfMatch = frozenset[str] | None
ANY: Final = frozenset({"*"})


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def parse_if_match(header: str | None) -> IfMatch:
    """The opaque tags a request accepts. Weak ones never match here. Raises a 400 problem for anything else."""
    if header is None:
        return None
    if header.strip() == "*":
        return ANY
    # Empty elements of a list say nothing (RFC 9110 section 5.6.1.2); a list of none matches no version.
    tags = [part.strip() for part in header.split(",") if part.strip()]
    matches = [_TAG.fullmatch(tag) for tag in tags]
    if not all(matches):
        raise Problem(400, "bad-if-match", 'If-Match must be * or entity tags in quotes, such as "3".')
    return frozenset(match[2] for match in matches if match is not None and match[1] is None)


def check_version(if_match: IfMatch, version: int) -> None:
    """Raises a 412 problem unless the present version is one of those accepted."""
    if if_match is None or if_match == ANY or str(version) in if_match:
        return
    detail = f"This is version {version} by now, not the one you saw. Read it again and repeat your change."
    raise Problem(412, "version-mismatch", detail, headers={"ETag": etag(version)}, version=version)
