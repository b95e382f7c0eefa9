from __future__ import annotations

import psutil
import pytest

from tests.fakes.addresses import DENIED, PRIVATE, PUBLIC
from vigilo.adapters.egress import (
    DeliveryEgress,
    EgressDenied,
    ScanEgress,
    parse_grants,
    parse_listeners,
    parse_networks,
)

EVERYTHING = parse_networks(["0.0.0.0/0", "::/0"])
EVERY_GRANT = parse_grants(["0.0.0.0/0:*", "[::/0]:*"])


@pytest.mark.parametrize("address", DENIED)
def test_no_allow_list_opens_what_is_always_denied(address: str) -> None:
    with pytest.raises(EgressDenied):
        ScanEgress(EVERYTHING).check(address, 443)
    with pytest.raises(EgressDenied):
        DeliveryEgress(EVERY_GRANT).check(address, 443)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_allow_list(address: str) -> None:
    ScanEgress(EVERYTHING).check(address, 443)
    DeliveryEgress(EVERY_GRANT).check(address, 443, encrypted=False)
    with pytest.raises(EgressDenied, match="VIGILO_POOL_ALLOW"):
        ScanEgress().check(address, 443)
    with pytest.raises(EgressDenied, match="VIGILO_DELIVERY_ALLOW"):
        DeliveryEgress().check(address, 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open_to_scans_and_to_encrypted_deliveries(address: str) -> None:
    ScanEgress().check(address, 25)
    DeliveryEgress().check(address, 443)
    with pytest.raises(EgressDenied, match="without encryption"):
        DeliveryEgress().check(address, 80, encrypted=False)


def test_a_grant_opens_one_port_of_one_network() -> None:
    policy = DeliveryEgress(parse_grants(["10.1.0.0/16:8080", "[fd00::/8]:443"]))
    policy.check("10.1.2.3", 8080, encrypted=False)
    policy.check("fd00::1", 443)
    for address, port in (("10.1.2.3", 8081), ("10.2.0.1", 8080), ("fd00::1", 80)):
        with pytest.raises(EgressDenied):
            policy.check(address, port)


def test_one_pools_networks_do_not_open_others() -> None:
    policy = ScanEgress(parse_networks(["10.0.0.0/8"]))
    policy.check("10.9.9.9", 443)
    policy.check("::ffff:10.9.9.9", 443)
    with pytest.raises(EgressDenied):
        policy.check("192.168.0.1", 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_own_listeners_are_denied_in_every_disguise(address: str) -> None:
    own = parse_listeners(["127.0.0.1:8080"])
    with pytest.raises(EgressDenied, match="own listeners"):
        ScanEgress(EVERYTHING, own).check(address, 8080)
    with pytest.raises(EgressDenied, match="own listeners"):
        DeliveryEgress(EVERY_GRANT, own).check(address, 8080)
    ScanEgress(EVERYTHING, own).check(address, 8081)


def test_a_listener_on_every_address_is_denied_on_each_of_this_machine() -> None:
    policy = ScanEgress(EVERYTHING, parse_listeners(["0.0.0.0:8080"]))
    local = [
        one.address for addresses in psutil.net_if_addrs().values() for one in addresses if one.family.name == "AF_INET"
    ]
    assert "127.0.0.1" in local
    for address in (*local, "127.0.0.2"):
        with pytest.raises(EgressDenied):
            policy.check(address, 8080)
    with pytest.raises(EgressDenied):
        policy.check("0.0.0.0", 8080)


def test_text_that_is_no_address_is_denied() -> None:
    with pytest.raises(EgressDenied, match="not an address"):
        ScanEgress(EVERYTHING).check("localhost", 443)


@pytest.mark.parametrize(
    "text", ["10.0.0.0/8", "10.0.0.1/8:443", "10.0.0.0/8:0", "10.0.0.0/8:70000", "x:1", "", "::1:443"]
)
def test_wrong_grants_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|no such"):
        parse_grants([text])


@pytest.mark.parametrize("text", ["8080", "example.com:8080", "127.0.0.1:0", "::1:80", "127.0.0.1"])
def test_wrong_listeners_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|no such"):
        parse_listeners([text])
