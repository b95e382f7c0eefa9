"""What clients get, worked out by hand from the RFCs for small servers."""

from __future__ import annotations

import pytest

from vigilo.events.clients import CLIENTS_MAX, ClientResult, Connects
from vigilo.events.facts import CertificateFacts, KeyAlgorithm
from vigilo.events.posture import GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.grading.clients.client import Client
from vigilo.grading.clients.reference import CLIENTS
from vigilo.grading.clients.simulation import simulate, simulate_client
from vigilo.tls.suite_traits import suite_traits

SERVER, CLIENT = SuiteOrder.SERVER, SuiteOrder.CLIENT
ALL = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
A128, A256, CHACHA = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"
E128, E256 = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
ECHACHA, EC128 = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
D128, R128 = "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"
BY_NAME = {client.name: client for client in CLIENTS}


def version(name: str, *suites: str, order: SuiteOrder | None = SERVER, **fields: bool) -> VersionPosture:
    given = {"complete": True, **fields}
    return VersionPosture(version=name, support=Support.ACCEPTED, suites=suites, order=order, **given)


def server(
    *accepted: VersionPosture,
    groups: tuple[str, ...] = ("x25519", "secp256r1"),
    group_order: SuiteOrder | None = SERVER,
    unknown: tuple[str, ...] = (),
    dh_bits: int | None = None,
) -> Posture:
    named = {one.version: one for one in accepted}
    refused = {one: VersionPosture(version=one, support=Support.REJECTED, complete=True) for one in ALL}
    unclear = {one: VersionPosture(version=one) for one in unknown}
    asked = GroupsPosture(groups=groups, complete=True, order=group_order)
    return Posture(
        versions=tuple((refused | named | unclear)[one] for one in ALL),
        groups=asked,
        groups_tls12=asked,
        dh_bits=dh_bits,
    )


def got(name: str, posture: Posture, leaf: CertificateFacts | None = None) -> ClientResult:
    return simulate_client(BY_NAME[name], posture, leaf)


def leaf(algorithm: KeyAlgorithm, curve: str | None = None) -> CertificateFacts:
    return CertificateFacts(fingerprint_sha256="0" * 64, key_algorithm=algorithm, key_detail=curve)


BOTH = server(version("TLSv1.2", E128, E256, R128), version("TLSv1.3", A256, A128))


@pytest.mark.parametrize(
    ("client", "posture", "expected"),
    [
        ("Chrome 137", BOTH, ("TLSv1.3", A256, "x25519", True)),
        ("Android 7", BOTH, ("TLSv1.2", E128, "secp256r1", True)),
        # In its own order Chrome prefers AES-128, Safari AES-256, and Java 8u161 CBC before GCM.
        ("Chrome 137", server(version("TLSv1.3", A256, A128, order=CLIENT)), ("TLSv1.3", A128, "x25519", True)),
        ("Safari 26", server(version("TLSv1.3", A128, A256, order=CLIENT)), ("TLSv1.3", A256, "x25519", True)),
        ("Java 8u161", server(version("TLSv1.2", E256, R128, order=CLIENT)), ("TLSv1.2", R128, None, False)),
        ("Java 8u161", server(version("TLSv1.2", E256, R128)), ("TLSv1.2", E256, "secp256r1", True)),
        # IE 11 of Windows 7 has GCM only with DHE and RSA: with ECDHE-RSA and GCM alone it is left outside.
        ("IE 11 (Windows 7)", BOTH, ("TLSv1.2", R128, None, False)),
        ("IE 11 (Windows 7)", server(version("TLSv1.2", E128, E256)), "no cipher suite or group in common"),
        # The newest version in common, even where an older one would have suites in common, too.
        ("IE 11 (Windows 7)", server(version("TLSv1.0", R128), version("TLSv1.2", E128)), "no cipher suite"),
        ("IE 11 (Windows 7)", server(version("TLSv1.0", R128)), ("TLSv1.0", R128, None, False)),
        ("Chrome 137", server(version("TLSv1.0", R128)), "no version in common"),
        ("Android 4.4", server(version("SSLv3", R128)), ("SSLv3", R128, None, False)),
        # Android 7 has P-256 only: not this certificate's curve, and no group for ECDHE.
        ("Android 7", server(version("TLSv1.2", E128), groups=("secp384r1",)), "no cipher suite or group"),
        ("Android 7", server(version("TLSv1.2", E128, R128), groups=("x25519",)), ("TLSv1.2", R128, None, False)),
        ("Java 11", server(version("TLSv1.3", A128), groups=("x25519",)), "no cipher suite or group in common"),
        ("Chrome 137", server(version("TLSv1.3", A128), groups=("MLKEM768",)), "no cipher suite or group"),
        # Whose group? The client's first, or the server's.
        (
            "Chrome 137",
            server(version("TLSv1.3", A128), groups=("secp384r1", "X25519MLKEM768"), group_order=CLIENT),
            ("TLSv1.3", A128, "X25519MLKEM768", True),
        ),
        (
            "Chrome 137",
            server(version("TLSv1.3", A128), groups=("secp384r1", "X25519MLKEM768")),
            ("TLSv1.3", A128, "secp384r1", True),
        ),
        # DH primes: too short for IE 11, too long for Java 8.
        ("IE 11 (Windows 7)", server(version("TLSv1.2", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"), dh_bits=768), "768"),
        ("Java 8u161", server(version("TLSv1.2", D128), dh_bits=4096), "cannot use a DH prime of 4096 bits"),
        ("Java 8u161", server(version("TLSv1.2", D128), dh_bits=2048), ("TLSv1.2", D128, None, True)),
    ],
)
def test_a_client_gets(client: str, posture: Posture, expected: tuple[str, str, str | None, bool] | str) -> None:
    found = got(client, posture)
    if isinstance(expected, str):
        assert found.connects is Connects.NO
        assert found.reason is not None
        assert expected in found.reason
        assert found.suite is None
    else:
        assert found.connects is Connects.YES
        assert (found.version, found.suite, found.group, found.forward_secret) == expected


def test_chacha_goes_first_only_to_clients_that_put_it_first() -> None:
    phone = Client("phone", ("TLSv1.2",), (ECHACHA, E128), ("x25519",), (0x0804,))
    posture = server(version("TLSv1.2", E128, ECHACHA, chacha_first=True))
    assert simulate_client(phone, posture, None).suite == ECHACHA
    assert got("Chrome 137", posture).suite == E128
    strict = server(version("TLSv1.2", E128, ECHACHA, chacha_first=False))
    assert simulate_client(phone, strict, None).suite == E128


@pytest.mark.parametrize(
    ("posture", "reason"),
    [
        (server(version("TLSv1.2", E128), unknown=("TLSv1.3",)), "TLSv1.3 is not known"),
        (Posture(), "TLSv1.3 is not known"),
        (server(version("TLSv1.3", A256, A128, order=None)), "whose order"),
        (server(version("TLSv1.3", complete=False)), "not all that the server accepts"),
        (server(version("TLSv1.3", A256, order=CLIENT, complete=False)), "likes better"),
    ],
)
def test_what_was_not_measured_is_not_known(posture: Posture, reason: str) -> None:
    found = got("Chrome 137", posture)
    assert found.connects is Connects.UNKNOWN
    assert found.reason is not None
    assert reason in found.reason


def test_what_the_client_does_not_speak_may_stay_unknown() -> None:
    assert got("Android 7", server(version("TLSv1.2", E128), unknown=("TLSv1.3", "SSLv3"))).suite == E128


def test_an_unfinished_list_is_good_for_its_beginning() -> None:
    """In the server's order nothing unseen comes before; in the client's only when it got its first wish."""
    assert got("Chrome 137", server(version("TLSv1.3", A256, complete=False))).suite == A256
    assert got("Chrome 137", server(version("TLSv1.3", A128, order=CLIENT, complete=False))).suite == A128


def test_groups_that_were_not_asked_leave_the_group_open_and_nothing_else() -> None:
    posture = BOTH.model_copy(update={"groups": None})
    found = got("Chrome 137", posture)
    assert (found.connects, found.suite, found.group, found.forward_secret) == (Connects.YES, A256, None, True)


@pytest.mark.parametrize(
    ("client", "certificate", "connects"),
    [
        ("Android 7", leaf(KeyAlgorithm.EC, "secp384r1"), Connects.NO),
        ("Android 7", leaf(KeyAlgorithm.EC, "secp256r1"), Connects.YES),
        ("Safari 9", leaf(KeyAlgorithm.EC, "secp384r1"), Connects.YES),
        ("Chrome 137", leaf(KeyAlgorithm.ED25519), Connects.NO),
        ("OpenSSL 3.5", leaf(KeyAlgorithm.ED25519), Connects.YES),
    ],
)
def test_keys_that_a_client_cannot_use(client: str, certificate: CertificateFacts, connects: Connects) -> None:
    posture = server(version("TLSv1.2", EC128), groups=("secp256r1", "secp384r1"))
    assert got(client, posture, certificate).connects is connects


def test_every_client_is_one_that_could_exist() -> None:
    assert len(CLIENTS) == len(BY_NAME) <= CLIENTS_MAX
    assert [one.name for one in simulate(BOTH, None)] == [one.name for one in CLIENTS]
    for client in CLIENTS:
        traits = [suite_traits(name) for name in client.suites]
        assert None not in traits
        assert ("TLSv1.3" in client.versions) is any(suite.tls13 for suite in traits if suite is not None)
        assert not [group for group in client.groups if group.startswith("0x")]
        assert client.source
