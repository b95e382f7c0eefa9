"""Twelve clients: browsers of today and yesterday, what old devices and programs bring along. Facts, no verdicts.

Each offer is that of one recorded ClientHello. None was recorded by us: those "by SSL Labs" are what its interface told
of its own reference clients, the others were recorded on the wire by testssl.sh's authors; both were read in
testssl.sh's collection as of June 2026. Which are reference clients: SSL Labs' report of March 2023, criteria 2009q; of
the newer ones, as it marks their predecessors.
"""

from __future__ import annotations

from vigilo.grading.clients.client import Client
from vigilo.tls.wire.code_points import group_name
from vigilo.tls.wire.suite_names import suite_name

VERSION = "2026-11"
_VERSIONS = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_SSL_LABS = "by SSL Labs, in testssl.sh's collection of June 2026"
_WIRE = "recorded on the wire for testssl.sh's collection of June 2026"


def _versions(oldest: str, newest: str) -> tuple[str, ...]:
    return tuple(reversed(_VERSIONS[_VERSIONS.index(oldest) : _VERSIONS.index(newest) + 1]))


def _suites(codes: str) -> tuple[str, ...]:
    return tuple(suite_name(int(code, 16)) for code in codes.split())


def _groups(codes: str) -> tuple[str, ...]:
    return tuple(group_name(int(code, 16)) for code in codes.split())


def _schemes(codes: str) -> tuple[int, ...]:
    return tuple(int(code, 16) for code in codes.split())


CLIENTS: tuple[Client, ...] = (
    Client(
        name="Android 4.4",
        versions=_versions("SSLv3", "TLSv1.2"),
        suites=_suites(
            "C030 C02C C014 C00A 00A3 009F 006B 006A 0039 0038 009D 003D 0035 C012 C008 0016 0013 000A C02F C02B "
            "C027 C023 C013 C009 00A2 009E 0067 0040 0033 0032 009C 003C 002F C011 C007 0005 0004"
        ),
        groups=_groups("0019 0018 0017"),
        schemes=_schemes("0601 0602 0603 0501 0502 0503 0401 0402 0403 0301 0302 0303 0201 0202 0203 0101"),
        source=_SSL_LABS,
    ),
    Client(
        name="Android 7",
        versions=_versions("TLSv1.0", "TLSv1.2"),
        suites=_suites("C02B C02C CCA9 C02F C030 CCA8 C013 C014 009C 009D 002F 0035"),
        groups=_groups("0017"),
        schemes=_schemes("0601 0603 0501 0503 0401 0403 0301 0303 0201 0203"),
        alpn=("h2", "http/1.1"),
        source=_WIRE,
    ),
    Client(
        name="Android 14",
        versions=_versions("TLSv1.2", "TLSv1.3"),
        suites=_suites("1301 1302 1303 C02B C02C CCA9 C02F C030 CCA8 C009 C00A C013 C014 009C 009D 002F 0035"),
        groups=_groups("001D 0017 0018"),
        schemes=_schemes("0403 0804 0401 0503 0805 0501 0806 0601 0201"),
        alpn=("http/1.1",),
        source=_WIRE,
    ),
    Client(
        name="Chrome 137",
        versions=_versions("TLSv1.2", "TLSv1.3"),
        suites=_suites("1301 1302 1303 C02B C02F C02C C030 CCA9 CCA8 C013 C014 009C 009D 002F 0035"),
        groups=_groups("11EC 001D 0017 0018"),
        schemes=_schemes("0403 0804 0401 0503 0805 0501 0806 0601"),
        alpn=("h2", "http/1.1"),
        dh_bits=(1024, None),
        reference=True,
        source=_WIRE,
    ),
    Client(
        name="Firefox 137",
        versions=_versions("TLSv1.2", "TLSv1.3"),
        suites=_suites("1301 1303 1302 C02B C02F CCA9 CCA8 C02C C030 C00A C009 C013 C014 009C 009D 002F 0035"),
        groups=_groups("11EC 001D 0017 0018 0019 0100 0101"),
        schemes=_schemes("0403 0503 0603 0804 0805 0806 0401 0501 0601 0203 0201"),
        alpn=("h2", "http/1.1"),
        dh_bits=(1023, None),
        reference=True,
        source=_WIRE,
    ),
    Client(
        name="Safari 9",
        versions=_versions("TLSv1.0", "TLSv1.2"),
        suites=_suites(
            "C02C C02B C024 C023 C00A C009 C008 C030 C02F C028 C027 C014 C013 C012 009D 009C 003D 003C 0035 002F "
            "000A C007 C011 0005 0004"
        ),
        groups=_groups("0017 0018 0019"),
        schemes=_schemes("0501 0401 0201 0503 0403 0203"),
        alpn=("h2", "h2-16", "h2-15", "h2-14", "spdy/3.1", "spdy/3", "http/1.1"),
        dh_bits=(768, None),
        reference=True,
        source=_SSL_LABS,
    ),
    Client(
        name="Safari 26",
        versions=_versions("TLSv1.2", "TLSv1.3"),
        suites=_suites(
            "1302 1303 1301 C02C C02B CCA9 C030 C02F CCA8 C00A C009 C014 C013 009D 009C 0035 002F C008 C012 000A"
        ),
        groups=_groups("11EC 001D 0017 0018 0019"),
        schemes=_schemes("0403 0804 0401 0503 0805 0805 0501 0806 0601 0201"),
        alpn=("h2", "http/1.1"),
        dh_bits=(1024, None),
        reference=True,
        source=_WIRE,
    ),
    Client(
        name="IE 11 (Windows 7)",
        versions=_versions("TLSv1.0", "TLSv1.2"),
        suites=_suites(
            "C028 C027 C014 C013 009F 009E 009D 009C 003D 003C 0035 002F C02C C02B C024 C023 C00A C009 006A 0040 "
            "0038 0032 000A 0013"
        ),
        groups=_groups("0017 0018"),
        schemes=_schemes("0601 0603 0401 0501 0201 0403 0503 0203 0202"),
        dh_bits=(1024, 4096),
        reference=True,
        source=_SSL_LABS,
    ),
    Client(
        name="Java 8u161",
        versions=_versions("TLSv1.0", "TLSv1.2"),
        suites=_suites(
            "C024 C028 003D C026 C02A 006B 006A C00A C014 0035 C005 C00F 0039 0038 C023 C027 003C C025 C029 0067 "
            "0040 C009 C013 002F C004 C00E 0033 0032 C02C C02B C030 009D C02E C032 009F 00A3 C02F 009C C02D C031 "
            "009E 00A2 C008 C012 000A C003 C00D 0016 0013"
        ),
        groups=_groups("0017 0018 0019 0009 000A 000B 000C 000D 000E 0016"),
        schemes=_schemes("0603 0601 0503 0501 0403 0401 0402 0203 0201 0202"),
        dh_bits=(None, 2048),
        source=_SSL_LABS,
    ),
    Client(
        name="Java 11",
        versions=_versions("TLSv1.0", "TLSv1.3"),
        suites=_suites(
            "1301 1302 C02C C02B C030 009D C02E C032 009F 00A3 C02F 009C C02D C031 009E 00A2 C024 C028 003D C026 "
            "C02A 006B 006A C00A C014 0035 C005 C00F 0039 0038 C023 C027 003C C025 C029 0067 0040 C009 C013 002F "
            "C004 C00E 0033 0032"
        ),
        groups=_groups("0017 0018 0019 0009 000A 000B 000C 000D 000E 0016 0100 0101 0102 0103 0104"),
        schemes=_schemes(
            "0403 0503 0603 0804 0805 0806 0809 080A 080B 0401 0501 0601 0402 0303 0301 0302 0203 0201 0202"
        ),
        dh_bits=(1024, None),
        source=_WIRE,
    ),
    Client(
        name="OpenSSL 1.0.2",
        versions=_versions("SSLv3", "TLSv1.2"),
        suites=_suites(
            "C030 C02C C028 C024 C014 C00A 00A5 00A3 00A1 009F 006B 006A 0069 0068 0039 0038 0037 0036 0088 0087 "
            "0086 0085 C032 C02E C02A C026 C00F C005 009D 003D 0035 0084 C02F C02B C027 C023 C013 C009 00A4 00A2 "
            "00A0 009E 0067 0040 003F 003E 0033 0032 0031 0030 009A 0099 0098 0097 0045 0044 0043 0042 C031 C02D "
            "C029 C025 C00E C004 009C 003C 002F 0096 0041 0007 C011 C007 C00C C002 0005 0004 C012 C008 0016 0013 "
            "0010 000D C00D C003 000A 0015 0012 000F 000C 0009"
        ),
        groups=_groups("0017 0019 001C 001B 0018 001A 0016 000E 000D 000B 000C 0009 000A"),
        schemes=_schemes("0601 0602 0603 0501 0502 0503 0401 0402 0403 0301 0302 0303 0201 0202 0203"),
        reference=True,
        source=_SSL_LABS,
    ),
    Client(
        name="OpenSSL 3.5",
        versions=_versions("TLSv1.2", "TLSv1.3"),
        suites=_suites(
            "1302 1303 1301 C02C C030 009F CCA9 CCA8 CCAA C02B C02F 009E C024 C028 006B C023 C027 0067 C00A C014 "
            "0039 C009 C013 0033 009D 009C 003D 003C 0035 002F"
        ),
        groups=_groups("11EC 001D 0017 001E 0018 0019 0100 0101"),
        schemes=_schemes(
            "0905 0906 0904 0403 0503 0603 0807 0808 081A 081B 081C 0809 080A 080B 0804 0805 0806 0401 0501 0601 "
            "0303 0301 0302 0402 0502 0602"
        ),
        dh_bits=(2048, None),
        reference=True,
        source=_WIRE,
    ),
)
