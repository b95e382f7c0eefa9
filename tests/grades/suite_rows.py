"""Mixes of cipher suites and key exchanges, with a good certificate."""

from __future__ import annotations

from tests.grades.rows import NGINX_AEAD, InFront, Letters, Nginx, OpenSsl, Row, TlsLite, Topic
from vigilo.events.cards import Grade

_NEW = "ssl_protocols TLSv1.2 TLSv1.3;"
_ONLY12 = "ssl_protocols TLSv1.2;"
_SERVER_ORDER = "ssl_prefer_server_ciphers on;"
_DH = "ssl_dhparam {folder}/dh%d.pem;"
_GCM = ("aes256gcm", "aes128gcm")
_BEST: Letters = (Grade.A_PLUS, None, "A+", None)
_NOT_HYBRID: Letters = (Grade.A, Topic.POST_QUANTUM, "A+", None)
_NO_GOOD: Letters = (Grade.F, Topic.CIPHERS, "F", Topic.CIPHERS)


def _ciphers(text: str) -> str:
    return f"ssl_ciphers {text};"


def _nginx(*lines: str) -> Nginx:
    return Nginx(lines)


ROWS = (
    Row(
        "RC4 beside AES-GCM",
        TlsLite((*_GCM, "rc4")),
        Grade.C,
        Topic.CIPHERS,
        None,
        None,
        "RFC 7465: MUST NOT; C as in 2015-05. 2009r: C where a client negotiates it, none here does: not decided.",
    ),
    Row(
        "RC4 only",
        TlsLite(("rc4",), ("rsa",), newest=(3, 3)),
        Grade.C,
        Topic.CIPHERS,
        "C",
        Topic.CIPHERS,
        "RFC 7465; RC4 with TLS 1.1 or later is C (2015-05).",
    ),
    Row(
        "3DES last",
        TlsLite((*_GCM, "3des")),
        Grade.C,
        Topic.CIPHERS,
        "A",
        Topic.HSTS,
        "Sweet32 (CVE-2016-2183): C where accepted. 2009r: no client gets it, 30+27+24 = 81 is A; no HSTS, no A+.",
    ),
    Row(
        "3DES only",
        TlsLite(("3des",), ("rsa",), newest=(3, 3)),
        Grade.C,
        Topic.CIPHERS,
        "C",
        Topic.CIPHERS,
        "Sweet32; negotiated with TLS 1.2 it is C (2017-01).",
    ),
    Row(
        "CBC only",
        _nginx(_ONLY12, _ciphers("ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256")),
        Grade.B,
        Topic.AEAD,
        "B",
        Topic.AEAD,
        "RFC 9325 4.2 recommends AEAD only; no AEAD is B (2009p).",
    ),
    Row(
        "CBC beside AEAD",
        OpenSsl(ciphers="ECDHE+AES"),
        *_BEST,
        "RFC 9325 4.1 forbids no CBC; clients of today choose AEAD.",
    ),
    Row(
        "no forward secrecy",
        _nginx(_ONLY12, _ciphers("AES128-GCM-SHA256:AES256-GCM-SHA384")),
        Grade.B,
        Topic.FORWARD_SECRECY,
        "B",
        Topic.FORWARD_SECRECY,
        "RFC 9325 4.1: SHOULD NOT static RSA; no forward secrecy with any client is B (2009p).",
    ),
    Row(
        "static RSA offered",
        OpenSsl(ciphers="ECDHE+AESGCM:AES128-GCM-SHA256"),
        Grade.A_MINUS,
        Topic.KEY_EXCHANGE,
        "A+",
        None,
        "RFC 10015 deprecates it: a warning, so A- (survey); 2009r: no client chooses it.",
        "rsa-2048",
    ),
    Row(
        "static RSA preferred",
        _nginx(_ONLY12, _ciphers("AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384"), _SERVER_ORDER),
        Grade.B,
        Topic.KEY_EXCHANGE,
        "B",
        Topic.FORWARD_SECRECY,
        "Preferred is B (survey, RFC 10015); 2009r: no client gets forward secrecy.",
    ),
    Row(
        "FFDHE 2048 offered",
        _nginx(_NEW, _ciphers(f"{NGINX_AEAD}:DHE-RSA-AES128-GCM-SHA256"), _DH % 2048, _SERVER_ORDER),
        Grade.A_MINUS,
        Topic.KEY_EXCHANGE,
        "A+",
        None,
        "RFC 10015 deprecates it: a warning (survey); 2009r does nothing from 2048 bits on.",
    ),
    Row(
        "FFDHE 2048 preferred",
        _nginx(_NEW, _ciphers(f"DHE-RSA-AES128-GCM-SHA256:{NGINX_AEAD}"), _DH % 2048, _SERVER_ORDER),
        Grade.B,
        Topic.KEY_EXCHANGE,
        "A+",
        None,
        "Preferred is B (survey, RFC 10015); 2009r does nothing from 2048 bits on.",
    ),
    Row(
        "DH of 1024 bits",
        _nginx(_NEW, _ciphers(f"{NGINX_AEAD}:DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"), _DH % 1024, _SERVER_ORDER),
        Grade.B,
        Topic.DH,
        "B",
        Topic.DH,
        "Logjam: weak DH, 1024 <= size < 2048, is B (2009r), and no reason to be milder here (RFC 9325 4.1).",
    ),
    Row(
        "NULL offered",
        _nginx(_NEW, _ciphers(f"{NGINX_AEAD}:NULL-SHA256:@SECLEVEL=0")),
        *_NO_GOOD,
        "RFC 9325 4.1: MUST NOT negotiate NULL; below 112 bits is F (2017-01).",
    ),
    Row(
        "anonymous offered",
        _nginx(_NEW, _ciphers(f"{NGINX_AEAD}:AECDH-AES256-SHA:@SECLEVEL=0")),
        *_NO_GOOD,
        "RFC 9325 4.1: no authentication; anonymous suites are F (report text).",
    ),
    Row("export suite", InFront("export"), *_NO_GOOD, "RFC 9325 4.1: MUST NOT; export is F (2017-01)."),
    Row(
        "server's order",
        _nginx(_NEW, _ciphers(NGINX_AEAD), _SERVER_ORDER),
        *_NOT_HYBRID,
        "Among good suites order is taste (Mozilla lets the client choose).",
    ),
)
