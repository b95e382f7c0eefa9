"""Numbers of the TLS registries and their names: versions, groups, extensions.

Source: IANA "TLS Supported Groups" and "TLS ExtensionType Values"; names as registered there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SSL2, SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0002, 0x0300, 0x0301, 0x0302, 0x0303, 0x0304

# As snapshots write them.
VERSION_NAMES: Mapping[int, str] = MappingProxyType(
    {SSL2: "SSLv2", SSL3: "SSLv3", TLS10: "TLSv1.0", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3"}
)

_CURVES = """
sect163k1 sect163r1 sect163r2 sect193r1 sect193r2 sect233k1 sect233r1 sect239k1 sect283k1 sect283r1 sect409k1 sect409r1
sect571k1 sect571r1 secp160k1 secp160r1 secp160r2 secp192k1 secp192r1 secp224k1 secp224r1 secp256k1 secp256r1 secp384r1
secp521r1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 x25519 x448 brainpoolP256r1tls13 brainpoolP384r1tls13
brainpoolP512r1tls13 GC256A GC256B GC256C GC256D GC512A GC512B GC512C curveSM2
"""
GROUP_NAMES: Mapping[int, str] = MappingProxyType(
    {
        **dict(enumerate(_CURVES.split(), start=1)),
        0x0100: "ffdhe2048",
        0x0101: "ffdhe3072",
        0x0102: "ffdhe4096",
        0x0103: "ffdhe6144",
        0x0104: "ffdhe8192",
        0x0200: "MLKEM512",
        0x0201: "MLKEM768",
        0x0202: "MLKEM1024",
        0x11EB: "SecP256r1MLKEM768",
        0x11EC: "X25519MLKEM768",
        0x11ED: "SecP384r1MLKEM1024",
        0x11EE: "curveSM2MLKEM768",
        0x6399: "X25519Kyber768Draft00",
        0x639A: "SecP256r1Kyber768Draft00",
    }
)

# Post-quantum first, then what is usual: a server that follows its client shows the order of a browser.
TLS13_GROUPS = (
    *(0x11EC, 0x11EB, 0x11ED, 0x11EE, 0x0201, 0x0202, 0x0200, 0x6399, 0x639A),
    *(29, 23, 24, 25, 30, 31, 32, 33, 41, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104),
)
# Finite-field groups stay out: a server with its own DH prime would then have to use them, or refuse (RFC 7919).
EC_GROUPS = (29, 23, 24, 25, 30, 26, 27, 28, *range(22, 0, -1), 41)
NIST_GROUPS = (23, 24, 25)

SERVER_NAME = 0
STATUS_REQUEST = 5
SUPPORTED_GROUPS = 10
EC_POINT_FORMATS = 11
SIGNATURE_ALGORITHMS = 13
HEARTBEAT = 15
ALPN = 16
ENCRYPT_THEN_MAC = 22
EXTENDED_MASTER_SECRET = 23
SESSION_TICKET = 35
SUPPORTED_VERSIONS = 43
PSK_MODES = 45
KEY_SHARE = 51
RENEGOTIATION_INFO = 0xFF01

RENEGOTIATION_SCSV = 0x00FF  # RFC 5746 section 3.3
FALLBACK_SCSV = 0x5600  # RFC 7507

# ML-DSA, ECDSA, EdDSA, brainpool, RSA-PSS, RSA PKCS #1, DSA, with every hash down to MD5.
SIGNATURE_SCHEMES = (
    *(0x0905, 0x0904, 0x0906, 0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x081A, 0x081B, 0x081C),
    *(0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0401, 0x0501, 0x0601),
    *(0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0502, 0x0602, 0x0302, 0x0202, 0x0101, 0x0708),
)


def group_name(code: int) -> str:
    """The registry's name, or 0xNNNN for what is not in it."""
    return GROUP_NAMES.get(code) or f"0x{code:04X}"
