"""Strict-Transport-Security (RFC 6797) read from the head of an HTTP/1 answer (RFC 9112). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vigilo.events.facts import HstsFacts, ProxyHeader

HEAD_MAX = 32 * 1024  # bytes of an answer that are looked at
_MAX_AGE_DIGITS = 18  # more than any browser keeps; longer numbers are cut off as if they were this long

_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-5][0-9]{2})(?: .*)?")
_FIELD = "strict-transport-security"
# By these, what stands between us and a server says what it is; by those it only numbers requests.
_SAYING = frozenset({"server", "via", "x-cache", "forwarded", "x-bluecoat-via"})
_NUMBERING = frozenset(
    {
        *("cf-ray", "x-amz-cf-id", "x-amz-cf-pop", "x-azure-ref", "x-akamai-request-id", "x-served-by", "x-varnish"),
        *("x-cache-hits", "x-proxy-cache", "x-forwarded-for", "proxy-connection", "x-sucuri-id", "x-iinfo"),
    }
)
_PROXIES_MAX = 10
_PROXY_MAX = 80  # characters of a value
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Head:
    """An answer's head: the status, every Strict-Transport-Security value in order, and what proxies said."""

    status: int
    policies: tuple[str, ...]
    proxies: tuple[ProxyHeader, ...] = ()


class NotHttp(ValueError):
    """Bytes that are no HTTP/1 answer."""


def request(host: str, port: int, *, user_agent: str) -> bytes:
    """GET / of a name, whole. `host` is a normalised name."""
    authority = host if port == 443 else f"{host}:{port}"
    lines = ("GET / HTTP/1.1", f"Host: {authority}", f"User-Agent: {user_agent}", "Accept: */*", "Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def read_head(data: bytes) -> Head | None:
    """The final answer's head, or None while it is not whole: interim answers (1xx) are passed over. Raises NotHttp."""
    while True:
        if not b"HTTP/1."[: len(data)] == data[:7]:
            raise NotHttp("the answer is not HTTP/1")
        end = re.search(rb"\r?\n\r?\n", data)
        if end is None:
            return None
        head = _parse(data[: end.start()])
        if head.status >= 200:
            return head
        data = data[end.end() :]


def _parse(head: bytes) -> Head:
    first, *lines = re.split(rb"\r?\n", head)
    match = _STATUS_LINE.fullmatch(first)
    if match is None:
        raise NotHttp("the answer is not HTTP/1")
    fields = [(name.lower().decode("latin-1"), value) for name, _, value in (line.partition(b":") for line in lines)]
    policies = tuple(_text(value) for name, value in fields if name == _FIELD)
    proxies = [_proxy(name, value) for name, value in fields if name in _SAYING | _NUMBERING]
    return Head(int(match[1]), policies, tuple(proxies[:_PROXIES_MAX]))


def _text(value: bytes) -> str:
    return value.strip(b" \t").decode("latin-1")


def _proxy(name: str, value: bytes) -> ProxyHeader:
    return ProxyHeader(name=name, value=_text(value)[:_PROXY_MAX] if name in _SAYING else "")


def judge_head(head: Head) -> HstsFacts:
    """What the head says. Only the first header counts (RFC 6797 section 8.1)."""
    return _judge(head).model_copy(update={"proxy_headers": head.proxies})


def _judge(head: Head) -> HstsFacts:
    if not 200 <= head.status < 400:
        return HstsFacts(status=head.status, parse_error=f"the server answered with status {head.status}")
    if not head.policies:
        return HstsFacts(present=False, status=head.status)
    try:
        directives = _directives(head.policies[0])
        max_age = _max_age(directives)
    except ValueError as error:
        return HstsFacts(present=True, status=head.status, parse_error=str(error))
    return HstsFacts(
        present=True,
        status=head.status,
        max_age=max_age,
        include_subdomains="includesubdomains" in directives,
        preload="preload" in directives,
    )


def _directives(policy: str) -> dict[str, str | None]:
    """Names in lower case with their values. Raises ValueError for what browsers ignore as a whole."""
    found = dict[str, str | None]()
    rest = policy.strip(" \t")
    while rest:
        if rest.startswith(";"):
            rest = rest[1:].lstrip(" \t")
            continue
        name, value, rest = _directive(rest)
        if name in found:
            raise ValueError(f"the directive {name[:40]} comes twice")
        if rest and not rest.startswith(";"):
            raise ValueError("directives are not separated by semicolons")
        found[name] = value
    return found


def _directive(text: str) -> tuple[str, str | None, str]:
    match = _TOKEN.match(text)
    if match is None:
        raise ValueError("a directive without a name")
    name, rest = match[0].lower(), text[match.end() :].lstrip(" \t")
    if not rest.startswith("="):
        return name, None, rest
    rest = rest[1:].lstrip(" \t")
    value = _QUOTED.match(rest) or _TOKEN.match(rest)
    if value is None:
        raise ValueError(f"the directive {name[:40]} has no readable value")
    text = value[1] if value.re is _QUOTED else value[0]
    return name, text, rest[value.end() :].lstrip(" \t")


def _max_age(directives: dict[str, str | None]) -> int:
    value = directives.get("max-age")
    if value is None:
        raise ValueError("there is no max-age")
    if not (value.isascii() and value.isdecimal()):
        raise ValueError("max-age is no number of seconds")
    return int(value[:_MAX_AGE_DIGITS])
