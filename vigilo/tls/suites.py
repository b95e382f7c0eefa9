"""Names of cipher suites: OpenSSL's to the IANA registry's. Pure."""

from __future__ import annotations

import re

# The few whose names follow no rule.
_ODD = {
    "DES-CBC3-SHA": "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "RC4-MD5": "TLS_RSA_WITH_RC4_128_MD5",
    "RC4-SHA": "TLS_RSA_WITH_RC4_128_SHA",
    "IDEA-CBC-SHA": "TLS_RSA_WITH_IDEA_CBC_SHA",
}
_KEY_EXCHANGES = {
    "ECDHE-ECDSA": "ECDHE_ECDSA",
    "ECDHE-RSA": "ECDHE_RSA",
    "ECDHE-ARIA": "ECDHE_RSA",  # OpenSSL leaves out RSA before ARIA
    "DHE-RSA": "DHE_RSA",
    "DHE-DSS": "DHE_DSS",
    "ECDHE-PSK": "ECDHE_PSK",
    "DHE-PSK": "DHE_PSK",
    "RSA-PSK": "RSA_PSK",
    "AECDH": "ECDH_anon",
    "ADH": "DH_anon",
    "PSK": "PSK",
}
_CIPHER = re.compile(
    r"(?P<name>AES|ARIA|CAMELLIA)(?P<bits>128|256)-(?P<mode>GCM-|CCM8?$|CBC-)?(?P<mac>SHA(?:256|384)?)?"
)
_OTHERS = {
    "CHACHA20-POLY1305": "CHACHA20_POLY1305_SHA256",
    "SEED-SHA": "SEED_CBC_SHA",
    "DES-CBC3-SHA": "3DES_EDE_CBC_SHA",
    "RC4-SHA": "RC4_128_SHA",
    "RC4-MD5": "RC4_128_MD5",
    "NULL-MD5": "NULL_MD5",
    "NULL-SHA": "NULL_SHA",
    "NULL-SHA256": "NULL_SHA256",
    "NULL-SHA384": "NULL_SHA384",
}


def iana_name(openssl_name: str) -> str:
    """`ECDHE-RSA-AES128-GCM-SHA256` as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`; unknown names come back unchanged."""
    if openssl_name.startswith("TLS_") or openssl_name in _ODD:
        return _ODD.get(openssl_name, openssl_name)
    exchange, cipher = _split(openssl_name)
    shown = _OTHERS.get(cipher) or _block_cipher(cipher)
    return openssl_name if shown is None else f"TLS_{exchange}_WITH_{shown}"


def _split(name: str) -> tuple[str, str]:
    for prefix, exchange in _KEY_EXCHANGES.items():
        if name.startswith(f"{prefix}-") or (prefix == "ECDHE-ARIA" and name.startswith(prefix)):
            return exchange, name.removeprefix("ECDHE-" if prefix == "ECDHE-ARIA" else f"{prefix}-")
    return "RSA", name


def _block_cipher(cipher: str) -> str | None:
    match = _CIPHER.fullmatch(cipher)
    if match is None:
        return None
    mode = (match["mode"] or "CBC-").rstrip("-").replace("CCM8", "CCM_8")
    return "_".join(part for part in (match["name"], match["bits"], mode, match["mac"]) if part)
