"""The differences from our peers that are known, each with who is right and how that was found out.

`verified` names what was done by hand, against the same server, with a program that is neither of the two.
"""

from __future__ import annotations

from tests.peers.facts import Difference, Explanation, Words

_SECOND_PASS = ("_RC4_", "_3DES_")


def _same_without_second_pass(difference: Difference) -> bool:
    return _first_pass(difference.ours) == _first_pass(difference.theirs)


def _first_pass(orders: Words) -> list[str]:
    (order,) = orders
    return [name for name in order.split(" > ") if not any(cipher in name for cipher in _SECOND_PASS)]


EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation(
        peer="sslyze",
        fact="TLSv1.3 groups",
        ours=("ffdhe*", "*MLKEM*", "curveSM2"),
        right="vigilo",
        reason="asks for elliptic curves only: neither finite fields nor post-quantum groups are on its list",
        verified="`s_client -tls1_3 -groups ffdhe2048` and `ffdhe8192` agree on a DH key; a client of OpenSSL 4.0.3 "
        "with one group each agrees on X25519MLKEM768, SecP256r1MLKEM768, curveSM2MLKEM768 and curveSM2, and is "
        "refused with SecP384r1MLKEM1024, as our scan says",
    ),
    Explanation(
        peer="sslscan",
        fact="TLSv1.3 groups",
        server="OpenSSL 4*",
        ours=("*MLKEM*", "curveSM2"),
        right="vigilo",
        reason="version 2.0.7 does not ask for post-quantum groups",
        verified="see 1",
    ),
    Explanation(
        peer="sslscan",
        fact="TLSv1.2 groups",
        server="nginx ECDSA",
        ours=("secp384r1", "secp521r1", "x25519", "x448"),
        right="vigilo",
        reason="offers one group at a time; a server with a P-256 certificate refuses clients that do not list P-256 "
        "(RFC 8422 section 5.1)",
        verified="`s_client -tls1_2 -groups X25519` ends in an alert, `-groups X25519:P-256` agrees on X25519; "
        "so do X448, P-384 and P-521 beside P-256",
    ),
    Explanation(
        peer="sslscan",
        fact="secure renegotiation",
        ours=("accepted",),
        theirs=("rejected",),
        right="vigilo",
        reason="asks with TLS 1.0 only, so every server without TLS 1.0 is said to lack it",
        verified="`s_client -tls1_2`: Secure Renegotiation IS supported; sslscan's source calls TLSv1_client_method",
    ),
    Explanation(
        peer="sslyze",
        fact="TLSv1.2 suites",
        ours=("TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA256", "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA256"),
        right="vigilo",
        reason="these two suites are not on its list",
        verified="`s_client -tls1_2 -cipher ADH-CAMELLIA128-SHA256:@SECLEVEL=0` (and 256) completes",
    ),
    Explanation(
        peer="sslscan",
        fact="TLSv1.? suites",
        server="dovecot without ssl_dh*",
        ours=("TLS_ECDHE_RSA_*", "TLS_ECDH_anon_*", "TLS_RSA_*"),
        right="vigilo, sslyze",
        reason="stops at the first failure: dovecot without DH parameters hangs up where it prefers a DHE suite",
        verified="`s_client -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256` and `AES128-SHA` complete; with "
        "DHE-RSA-AES256-GCM-SHA384 beside the former dovecot hangs up and logs that it lacks DH parameters",
    ),
    Explanation(
        peer="sslscan",
        fact="TLSv1.? order",
        server="dovecot without ssl_dh*",
        ours=("*",),
        theirs=("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        right="vigilo",
        reason="see 6",
        verified="see 6",
    ),
    Explanation(
        peer="sslscan",
        fact="TLSv1.2",
        server="dovecot without ssl_dh*",
        ours=("accepted",),
        theirs=("rejected",),
        right="vigilo, sslyze",
        reason="see 6, at the first question already",
        verified="see 6",
    ),
    Explanation(
        peer="sslscan",
        fact="TLSv1.? order",
        ours=("*",),
        theirs=("*",),
        holds=_same_without_second_pass,
        right="vigilo",
        reason="asks for RC4 and 3DES, which its OpenSSL lacks, in a second pass and lists them last; all others are "
        "in the same order",
        verified="gnutls-serv: `gnutls-cli` offering ECDHE_RSA_RC4_128_SHA and DHE_RSA_AES_128_CCM gets the former",
    ),
    Explanation(
        peer="sslscan",
        fact="reached",
        server="slapd ldap",
        ours=("yes",),
        theirs=("STARTLS LDAP connection to the server failed with unknown error.",),
        right="vigilo, sslyze",
        reason="waits for the name in the response, which is optional (RFC 4511 section 4.12); slapd leaves it out",
        verified="`s_client -starttls ldap` completes a handshake; sslscan's source looks for the OID",
    ),
    Explanation(
        peer="sslyze",
        fact="reached",
        server="s_server, TLS 1.3 only, CCM",
        ours=("yes",),
        theirs=("TLS probing failed: could not find a TLS version and cipher suite supported by the server",),
        right="vigilo, sslscan",
        reason="says hello with OpenSSL's usual suites, to which CCM does not belong, and gives up",
        verified="`s_client -tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256` completes a handshake",
    ),
)
