"""Protocol versions, HSTS, holes and protocols without HTTP, all with a good certificate."""

from __future__ import annotations

from OpenSSL import SSL

from tests.grades.rows import (
    HALF_A_YEAR,
    NGINX_AEAD,
    InFront,
    Letters,
    Nginx,
    OpenSsl,
    Row,
    Smtp,
    TlsLite,
    Topic,
)
from vigilo.events.cards import Grade

_OLD = f"ssl_ciphers {NGINX_AEAD}:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0;"
_NEW = "ssl_protocols TLSv1.2 TLSv1.3;"
_GCM = ("aes256gcm", "aes128gcm")


def _ciphers(text: str) -> str:
    return f"ssl_ciphers {text};"


def _nginx(*lines: str) -> Nginx:
    return Nginx(lines)


_BEST: Letters = (Grade.A_PLUS, None, "A+", None)
_NOT_HYBRID: Letters = (Grade.A, Topic.POST_QUANTUM, "A+", None)
_HOLE: Letters = (Grade.F, Topic.VULNERABILITY, "F", Topic.VULNERABILITY)
_NO_WEB: Letters = (Grade.A_PLUS, None, "A", Topic.HSTS)

VERSION_ROWS = (
    Row(
        "TLS 1.3 only",
        OpenSsl(oldest=SSL.TLS1_3_VERSION),
        *_BEST,
        "Nothing older is needed (RFC 8996, RFC 9325 3.1.1).",
    ),
    Row(
        "TLS 1.3 only, no hybrid group",
        _nginx("ssl_protocols TLSv1.3;"),
        *_NOT_HYBRID,
        "design: A+ needs a hybrid group.",
    ),
    Row(
        "TLS 1.2 and 1.3, no hybrid group",
        _nginx(_NEW, _ciphers(NGINX_AEAD)),
        *_NOT_HYBRID,
        "As above; 2009r knows no PQ.",
    ),
    Row(
        "TLS 1.2 only",
        OpenSsl(newest=SSL.TLS1_2_VERSION),
        Grade.A_MINUS,
        Topic.TLS13,
        "A-",
        Topic.TLS13,
        "No TLS 1.3: A- at best (2009r, followed by vigilo-2026).",
    ),
    Row(
        "TLS 1.0 to 1.3",
        _nginx("ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;", _OLD),
        Grade.C,
        Topic.VERSIONS,
        "B",
        Topic.VERSIONS,
        "1.0 or 1.1 beside newer is C at most (design, RFC 8996); B (2009q).",
    ),
    Row(
        "TLS 1.1 to 1.3",
        _nginx("ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3;", _OLD),
        Grade.C,
        Topic.VERSIONS,
        "B",
        Topic.VERSIONS,
        "As for 1.0.",
    ),
    Row(
        "TLS 1.0 and 1.2",
        _nginx("ssl_protocols TLSv1 TLSv1.2;", _OLD),
        Grade.C,
        Topic.VERSIONS,
        "B",
        Topic.VERSIONS,
        "C before A- for the missing 1.3; 2009r: B before A-.",
    ),
    Row(
        "TLS 1.1 at most",
        _nginx("ssl_protocols TLSv1 TLSv1.1;", _OLD),
        Grade.F,
        Topic.VERSIONS,
        "C",
        Topic.VERSIONS,
        "Highest version 1.1 or lower is F (design); no TLS 1.2 is C (2015-05).",
    ),
    Row(
        "TLS 1.0 only",
        _nginx("ssl_protocols TLSv1;", _OLD),
        Grade.F,
        Topic.VERSIONS,
        "C",
        Topic.VERSIONS,
        "As above.",
    ),
    Row(
        "SSL 3 beside TLS 1.2",
        TlsLite(("aes256", "aes128", *_GCM), oldest=(3, 0)),
        Grade.F,
        Topic.VERSIONS,
        None,
        None,
        "RFC 7568: MUST NOT be used. 2009r: C with CBC (POODLE), B without; ECDHE in SSL 3 is nobody's: not decided.",
    ),
    Row(
        "SSL 3 with CBC beside TLS 1.2",
        TlsLite(("aes256", "aes128", *_GCM), ("ecdhe_rsa", "rsa"), oldest=(3, 0)),
        Grade.F,
        Topic.VERSIONS,
        "C",
        Topic.VERSIONS,
        "RFC 7568; POODLE, SSL 3 with CBC, is C (2014-12).",
    ),
    Row(
        "SSL 3 only",
        TlsLite(("aes256", "aes128"), ("rsa",), oldest=(3, 0), newest=(3, 0)),
        Grade.F,
        Topic.VERSIONS,
        "F",
        Topic.VERSIONS,
        "RFC 7568; only SSL 3 is F (2014-12).",
    ),
    Row("SSL 2", InFront("ssl2"), Grade.F, Topic.VERSIONS, "F", Topic.VERSIONS, "RFC 6176: MUST NOT; F (2009c)."),
)

DEFECT_ROWS = (
    Row(
        "compression",
        InFront("compression"),
        Grade.C,
        Topic.COMPRESSION,
        "C",
        Topic.COMPRESSION,
        "CRIME (CVE-2012-4929), RFC 9325 3.3; C today.",
    ),
    Row(
        "no secure renegotiation",
        TlsLite(_GCM, newest=(3, 3), renegotiation_info=False),
        Grade.F,
        Topic.RENEGOTIATION,
        None,
        None,
        "RFC 5746, CVE-2009-3555: a client cannot tell whether it is spliced. The guide's F is for insecure "
        "renegotiation that works, which nobody tries; for this alone it has no letter in what could be read.",
    ),
    Row("Heartbleed", InFront("heartbleed"), *_HOLE, "CVE-2014-0160 gives the key away."),
    Row(
        "ROBOT", InFront("robot"), *_HOLE, "CVE-2017-13099 and others: an oracle for the key's operations.", "rsa-2048"
    ),
    Row(
        "expired, and TLS 1.0",
        _nginx("ssl_protocols TLSv1 TLSv1.2 TLSv1.3;", _OLD),
        Grade.F,
        Topic.TRUST,
        "T",
        Topic.TRUST,
        "A trust failure is F with that reason first, whatever else there is (design).",
        "expired-rsa",
    ),
)

HSTS_ROWS = (
    Row(
        "HSTS absent",
        OpenSsl(header=None),
        Grade.A_MINUS,
        Topic.HSTS,
        "A-",
        Topic.HSTS,
        "Absent: A- (2009r); HSTS counts (design).",
    ),
    Row(
        "HSTS of 180 days",
        OpenSsl(header=f"max-age={HALF_A_YEAR}"),
        *_BEST,
        "Six months are enough for A+ (2009e, 2009r).",
    ),
    Row(
        "HSTS of 30 days",
        OpenSsl(header="max-age=2592000"),
        Grade.A,
        Topic.HSTS,
        "A",
        Topic.HSTS,
        "A policy, but A+ needs six months (2009e, 2009r).",
    ),
    Row(
        "HSTS max-age 0",
        OpenSsl(header="max-age=0"),
        Grade.A_MINUS,
        Topic.HSTS,
        "A-",
        Topic.HSTS,
        "Disabled (RFC 6797 6.1.1): as absent (2009r).",
    ),
    Row(
        "HSTS malformed",
        OpenSsl(header="includeSubDomains"),
        Grade.A_MINUS,
        Topic.HSTS,
        "A-",
        Topic.HSTS,
        "Without max-age browsers ignore it (RFC 6797 6.1): invalid (2009r).",
    ),
    Row("HSTS on a redirect", OpenSsl(status=301), *_BEST, "Judged on 2xx and 3xx (design)."),
    Row(
        "HSTS not known",
        OpenSsl(header=None, status=403),
        Grade.A,
        Topic.HSTS,
        None,
        None,
        "Another status says nothing (design): unknown costs no letter below A, but A+ is for what is known.",
    ),
)

OTHER_ROWS = (
    Row(
        "no web server",
        OpenSsl(https=False),
        *_NO_WEB,
        "Protocols without HTTP can reach A+ (design); the guide's A+ needs HSTS.",
    ),
    Row(
        "client certificate demanded",
        OpenSsl(https=False, client_certificate=True),
        *_NO_WEB,
        "The chain is known, the outcome ok (design).",
    ),
    Row("SMTP with STARTTLS", Smtp(), *_NO_WEB, "Graded normally, with a label (survey); the guide's A+ needs HSTS."),
)

ROWS = (*VERSION_ROWS, *DEFECT_ROWS, *HSTS_ROWS, *OTHER_ROWS)
