"""What a client would get from a host, worked out from the host's posture. No connection is made. Pure.

The server's choice goes as RFC 8446 section 4.1 and RFC 5246 section 7.4.1.3 leave it to it: the newest version in
common, then a suite in the order of whoever's order counts, then a group. A server of TLS 1.3 is taken to ask again for
a group it likes better than the one whose share it was sent; some do not, which changes the group and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vigilo.events.clients import ClientResult, Connects
from vigilo.events.facts import CertificateFacts, KeyAlgorithm
from vigilo.events.posture import GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.grading.clients.client import Client
from vigilo.grading.clients.reference import CLIENTS
from vigilo.grading.scores import group_rsa_bits
from vigilo.tls.suite_traits import SuiteTraits, suite_traits

_TLS13 = "TLSv1.3"
# The schemes by which these keys sign (RFC 8446 section 4.2.3); every client takes RSA and ECDSA with SHA-256.
_EDWARDS = {KeyAlgorithm.ED25519: 0x0807, KeyAlgorithm.ED448: 0x0808}


class _Unsettled(Exception):
    """No handshake, or none that can be told: the result so far."""

    def __init__(self, connects: Connects, reason: str) -> None:
        super().__init__(reason)
        self.connects, self.reason = connects, reason


def simulate(
    posture: Posture, leaf: CertificateFacts | None, clients: Sequence[Client] = CLIENTS
) -> tuple[ClientResult, ...]:
    """Each client's result, in the clients' order. `leaf` is the certificate served, None if it is not known."""
    return tuple(simulate_client(client, posture, leaf) for client in clients)


def simulate_client(client: Client, posture: Posture, leaf: CertificateFacts | None) -> ClientResult:
    """Which version, suite and group the client gets, or why it gets none, or why that cannot be told."""
    version: str | None = None
    try:
        accepted = _version(client, posture)
        version = accepted.version
        _demand_common_signature(client, leaf)
        suite, group = _suite_and_group(client, posture, accepted, leaf)
    except _Unsettled as end:
        return ClientResult(
            name=client.name, reference=client.reference, connects=end.connects, version=version, reason=end.reason
        )
    return ClientResult(
        name=client.name,
        reference=client.reference,
        connects=Connects.YES,
        version=version,
        suite=suite.name,
        group=group,
        forward_secret=suite.forward_secret,
    )


def _version(client: Client, posture: Posture) -> VersionPosture:
    """The newest in common. One that was not clearly answered, and is newer, leaves it open."""
    known = {one.version: one for one in posture.versions}
    for version in client.versions:
        found = known.get(version)
        if found is None or found.support is Support.UNKNOWN:
            raise _Unsettled(Connects.UNKNOWN, f"whether the server accepts {version} is not known")
        if found.support is Support.ACCEPTED:
            return found
    raise _Unsettled(Connects.NO, f"no version in common: the client has {client.versions[0]} at best")


def _demand_common_signature(client: Client, leaf: CertificateFacts | None) -> None:
    scheme = _EDWARDS.get(leaf.key_algorithm) if leaf is not None else None
    if scheme is not None and scheme not in client.schemes:
        raise _Unsettled(Connects.NO, "the client cannot check signatures by the server's key")


def _suite_and_group(
    client: Client, posture: Posture, accepted: VersionPosture, leaf: CertificateFacts | None
) -> tuple[SuiteTraits, str | None]:
    groups = posture.groups if accepted.version == _TLS13 else posture.groups_tls12
    usable = _usable(client, accepted, groups, leaf)
    if not usable:
        raise _no_suite(accepted, groups)
    suite = _chosen_suite(client, accepted, usable)
    if suite.exchange == "DHE":
        _demand_fitting_prime(client, posture.dh_bits)
    return suite, _group(client, groups) if _agrees_by_group(suite) else None


def _usable(
    client: Client, accepted: VersionPosture, groups: GroupsPosture | None, leaf: CertificateFacts | None
) -> list[SuiteTraits]:
    """The suites in common that the server can really use with that client, in the order they are listed."""
    common = [suite_traits(name) for name in accepted.suites if name in client.rank]
    without_group = groups is not None and groups.complete and not _common(client, groups)
    foreign_curve = _on_foreign_curve(client, leaf) and accepted.version != _TLS13
    return [
        suite
        for suite in common
        if suite is not None
        and not (without_group and _agrees_by_group(suite))
        and not (foreign_curve and suite.authentication == "ECDSA")
    ]


def _on_foreign_curve(client: Client, leaf: CertificateFacts | None) -> bool:
    """Below TLS 1.3 the groups a client offers limit the curves of certificates, too (RFC 8422 section 5.1.1)."""
    if leaf is None or leaf.key_algorithm is not KeyAlgorithm.EC or leaf.key_detail is None:
        return False
    return group_rsa_bits(leaf.key_detail) is not None and leaf.key_detail not in client.groups


def _no_suite(accepted: VersionPosture, groups: GroupsPosture | None) -> _Unsettled:
    if not accepted.complete or (groups is not None and not groups.complete):
        return _Unsettled(Connects.UNKNOWN, f"not all that the server accepts with {accepted.version} is known")
    return _Unsettled(Connects.NO, f"no cipher suite or group in common with {accepted.version}")


def _chosen_suite(client: Client, accepted: VersionPosture, usable: list[SuiteTraits]) -> SuiteTraits:
    wishes = sorted(usable, key=lambda suite: client.rank[suite.name])
    if accepted.order is SuiteOrder.SERVER:
        return _by_servers_order(client, accepted, usable)
    if accepted.order is None and wishes[0] is not usable[0]:
        raise _Unsettled(Connects.UNKNOWN, "whose order of cipher suites counts is not known")
    if not accepted.complete and client.rank[wishes[0].name] > 0:
        raise _Unsettled(Connects.UNKNOWN, "the server may accept a cipher suite that the client likes better")
    return wishes[0]


def _by_servers_order(client: Client, accepted: VersionPosture, usable: list[SuiteTraits]) -> SuiteTraits:
    """A server may let those clients have ChaCha20 that put it first of all: they lack fast AES."""
    first = suite_traits(client.suites[0])
    if accepted.chacha_first and first is not None and first.chacha:
        return next((suite for suite in usable if suite.chacha), usable[0])
    return usable[0]


def _agrees_by_group(suite: SuiteTraits) -> bool:
    return suite.tls13 or suite.exchange == "ECDHE"


def _demand_fitting_prime(client: Client, dh_bits: int | None) -> None:
    least, most = client.dh_bits
    if dh_bits is not None and least is not None and dh_bits < least:
        raise _Unsettled(Connects.NO, f"the client refuses a DH prime of {dh_bits} bits as too short")
    if dh_bits is not None and most is not None and dh_bits > most:
        raise _Unsettled(Connects.NO, f"the client cannot use a DH prime of {dh_bits} bits")


def _group(client: Client, groups: GroupsPosture | None) -> str | None:
    """None where it cannot be told: that changes neither suite nor forward secrecy."""
    if groups is None or not groups.complete:
        return None
    common = _common(client, groups)
    wish = next((group for group in client.groups if group in common), None)
    if groups.order is SuiteOrder.CLIENT or not common:
        return wish
    return common[0] if groups.order is SuiteOrder.SERVER or common[0] == wish else None


def _common(client: Client, groups: GroupsPosture) -> list[str]:
    return [group for group in groups.groups if group in client.groups]


def settled(results: Iterable[ClientResult], *, reference: bool = True) -> tuple[ClientResult, ...]:
    """Those that connect for certain; only reference clients unless told otherwise."""
    return tuple(one for one in results if one.connects is Connects.YES and (one.reference or not reference))
