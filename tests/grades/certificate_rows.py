"""Certificate faults and virtues, all on the same good server: versions, suites, group and HSTS are those of A+."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.grades.rows import Letters, OpenSsl, Row, Topic
from vigilo.events.cards import Grade
from vigilo.events.hosts import Trust

_GOOD = OpenSsl()
_FAIL: Letters = (Grade.F, Topic.TRUST, "T", Topic.TRUST)
_BEST: Letters = (Grade.A_PLUS, None, "A+", None)

TRUST_ROWS = (
    Row("good", _GOOD, *_BEST, "All that A+ asks for: TLS 1.3, AEAD, hybrid group (design), HSTS of a year (2009r)."),
    Row(
        "expired",
        _GOOD,
        *_FAIL,
        "Any expired certificate of the path fails validation (design); T (2009r).",
        "expired",
    ),
    Row(
        "not yet valid", _GOOD, *_FAIL, "RFC 5280 6.1.3 (a)(2): before notBefore it is not valid; T (2009r).", "not-yet"
    ),
    Row("expired intermediate", _GOOD, *_FAIL, "RFC 5280 6.1.3 holds for every certificate of the path.", "old-ca"),
    Row("self-signed", _GOOD, *_FAIL, "Nobody vouches for it (design: untrusted issuer); T (2009r).", "self-signed"),
    Row("unknown CA", _GOOD, *_FAIL, "Its root is in no store: untrusted issuer (design); T (2009r).", "unknown-ca"),
    Row(
        "incomplete chain",
        _GOOD,
        Grade.F,
        Topic.TRUST,
        "B",
        Topic.TRUST,
        "Incomplete as served fails validation (design); clients without the intermediate fail. 2009r caps at B.",
        "incomplete",
    ),
    Row("wrong order", _GOOD, *_BEST, "RFC 8446 4.4.2: be prepared for any order; no cost in 2009r.", "wrong-order"),
    Row("extra certificate", _GOOD, *_BEST, "Extra served certificates never fail it (design).", "extra"),
    Row(
        "root served", _GOOD, *_BEST, "RFC 8446 4.4.2: a root MAY be omitted; serving it only costs bytes.", "with-root"
    ),
    Row(
        "name constraint violated", _GOOD, *_FAIL, "RFC 5280 6.1.3 (b): outside the permitted subtrees.", "constrained"
    ),
    Row("intermediate is no CA", _GOOD, *_FAIL, "RFC 5280 6.1.4 (k): cA must be true.", "no-ca"),
    Row("path too long", _GOOD, *_FAIL, "RFC 5280 6.1.4 (m): one CA more than pathLenConstraint.", "path-length"),
    Row("for clients only", _GOOD, *_FAIL, "RFC 5280 4.2.1.12: without serverAuth not for TLS servers.", "client-auth"),
    Row(
        "private CA, private trust",
        _GOOD,
        *_BEST,
        "A host's trust may be private: the workspace's anchors decide (design), and they know it.",
        "private",
        Trust.PRIVATE,
    ),
    Row("private CA, public trust", _GOOD, *_FAIL, "Browsers do not know the workspace's anchors.", "private"),
    Row(
        "private, no key identifiers",
        _GOOD,
        *_BEST,
        "Strictness that only WebPKI demands is a finding for private chains, never a failure (design).",
        "private-bare",
        Trust.PRIVATE,
    ),
)

NAME_ROWS = (
    Row(
        "wrong name",
        _GOOD,
        Grade.F,
        Topic.NAME,
        "M",
        Topic.NAME,
        "A name failure is F (design, RFC 9525 6); M in the guide.",
        "wrong-name",
    ),
    Row(
        "common name only",
        _GOOD,
        Grade.F,
        Topic.NAME,
        None,
        None,
        "RFC 9525 2: the CN is no identifier. The guide says nothing of certificates without SAN.",
        "cn-only",
    ),
    Row(
        "wildcard",
        _GOOD,
        *_BEST,
        "RFC 9525 6.3: the asterisk is the whole left-most label.",
        "wildcard",
        name="a.shop.test",
    ),
    Row(
        "wildcard, two levels",
        _GOOD,
        Grade.F,
        Topic.NAME,
        "M",
        Topic.NAME,
        "RFC 9525 6.3: an asterisk stands for one label only.",
        "wildcard",
        name="b.a.shop.test",
    ),
    Row(
        "address in the certificate",
        _GOOD,
        Grade.A_PLUS,
        None,
        None,
        None,
        "RFC 9525 6.5: iPAddress matches; HSTS counts on a name only (design). SSL Labs rates no addresses.",
        "address",
        name=None,
    ),
    Row(
        "address, only a name",
        _GOOD,
        Grade.F,
        Topic.NAME,
        "M",
        Topic.NAME,
        "RFC 9525 6.5: an address must be in the SAN as an address.",
        "good",
        name=None,
    ),
)

KEY_ROWS = (
    Row("RSA 2048", _GOOD, *_BEST, "2048 bits are allowed (BR 6.1.5); 30+27+36 = 93 is A (2009r).", "rsa-2048"),
    Row("RSA 4096", _GOOD, *_BEST, "More than is asked for.", "rsa-4096"),
    Row("EC P-384", _GOOD, *_BEST, "BR 6.1.5 names P-256, P-384 and P-521.", "p-384"),
    Row(
        "RSA 1024, public",
        _GOOD,
        Grade.F,
        Topic.KEY,
        None,
        None,
        "RSA below 2048 in the leaf is F (design). 2009r has B for the size, and T because browsers refuse it.",
        "rsa-1024",
    ),
    Row(
        "RSA 1024, private",
        _GOOD,
        Grade.F,
        Topic.KEY,
        "B",
        Topic.KEY,
        "RSA below 2048 in the leaf is F, whoever trusts it (design); 1024 <= size < 2048 is B (2009r).",
        "private-1024",
        Trust.PRIVATE,
    ),
    Row(
        "RSA 1024 intermediate",
        _GOOD,
        Grade.F,
        Topic.KEY,
        None,
        None,
        "RSA below 2048 in an intermediate is F (design). 2009r rates the leaf's key, browsers refuse the path.",
        "ca-1024",
    ),
    Row(
        "Ed25519, private",
        _GOOD,
        *_BEST,
        "OpenSSL and real clients accept it (design).",
        "ed25519-private",
        Trust.PRIVATE,
    ),
    Row(
        "Ed25519, public", _GOOD, *_FAIL, "BR 7.1.3.1 allows RSA and ECDSA only; browsers refuse it.", "ed25519-public"
    ),
    Row(
        "SHA-1 leaf",
        _GOOD,
        Grade.F,
        Topic.SIGNATURE,
        "T",
        Topic.SIGNATURE,
        "SHA-1 collides (SHAttered, 2017), BR 7.1.3.2 forbids it, browsers refuse it; T in 2009r as testssl has it.",
        "sha1-leaf",
    ),
    Row(
        "SHA-1 intermediate",
        _GOOD,
        Grade.F,
        Topic.SIGNATURE,
        "T",
        Topic.SIGNATURE,
        "As for the leaf: every signature but the root's counts.",
        "sha1-ca",
    ),
    Row(
        "MD5 leaf",
        _GOOD,
        Grade.F,
        Topic.SIGNATURE,
        None,
        None,
        "MD5 signatures have been forged (2008). 2009e: zero, so F; but also untrusted, so T: not decided.",
        "md5-leaf",
    ),
)

LIFETIME_ROWS = (
    Row(
        "397 days, issued before March 2026",
        _GOOD,
        *_BEST,
        "SC-081v3 counts by notBefore: 398 days until 2026-03-14.",
        "long-before",
        graded_at=datetime(2026, 12, 1, tzinfo=UTC),
    ),
    Row(
        "250 days, issued after",
        _GOOD,
        Grade.B,
        Topic.LIFETIME,
        "A+",
        None,
        "SC-081v3: 200 days from 2026-03-15. No client refuses it (argued as A- at first), but the "
        "misissued must be revoked within five days (BR 4.9.1.1): more than a warning. 2009r: nothing.",
        "long-after",
    ),
    Row("250 days, private", _GOOD, *_BEST, "SC-081v3 binds public roots only.", "private-long", Trust.PRIVATE),
    Row(
        "six days, no CRL, no OCSP",
        _GOOD,
        *_BEST,
        "Short-lived certificates need neither (BR 4.9.7, 7.1.2.11.2).",
        "six-days",
    ),
)

STAPLE_ROWS = (
    Row("OCSP URL, no staple", _GOOD, *_BEST, "URL and no staple is information (survey); no cost (design).", "ocsp"),
    Row("good staple", OpenSsl(staple="good"), *_BEST, "All is well.", "ocsp"),
    Row(
        "expired staple",
        OpenSsl(staple="expired"),
        Grade.A_MINUS,
        Topic.STAPLE,
        "A+",
        None,
        "An expired staple is a warning (survey), which makes A- (2009e); clients fetch anew. 2009r: nothing.",
        "ocsp",
    ),
    Row(
        "forged staple",
        OpenSsl(staple="forged"),
        Grade.B,
        Topic.STAPLE,
        "A+",
        None,
        "A bad staple costs (design), more than an old one: Firefox fails on its signature. 2009r: nothing.",
        "ocsp",
    ),
    Row(
        "revoked staple",
        OpenSsl(staple="revoked"),
        Grade.F,
        Topic.TRUST,
        "F",
        Topic.TRUST,
        "Revoked by staple fails validation (design); revoked is F (Qualys help).",
        "ocsp",
    ),
    Row("must-staple, stapled", OpenSsl(staple="good"), *_BEST, "RFC 7633: what was promised is sent.", "must-staple"),
    Row(
        "must-staple, not stapled",
        _GOOD,
        Grade.C,
        Topic.STAPLE,
        "A+",
        None,
        "Serious (survey): browsers that honour RFC 7633 fail, others do not. 2009r: nothing.",
        "must-staple",
    ),
)

ROWS = (*TRUST_ROWS, *NAME_ROWS, *KEY_ROWS, *LIFETIME_ROWS, *STAPLE_ROWS)
