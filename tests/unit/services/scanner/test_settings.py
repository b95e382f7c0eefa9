from __future__ import annotations

import os
from uuid import uuid4

import pytest

from services.scanner.settings import ScannerSettings
from vigilo.adapters.egress import EgressDenied
from vigilo.adapters.settings import BadSettings, read


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("VIGILO_"):
            monkeypatch.delenv(name)


def test_the_defaults_scan_the_public_internet_only() -> None:
    settings = read(ScannerSettings)
    assert (settings.pool, settings.workspaces, settings.dns_addresses()) == ("public", None, ())
    settings.scan_egress().check("8.8.8.8", 443)
    with pytest.raises(EgressDenied):
        settings.scan_egress().check("127.0.0.1", 443)


def test_everything_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = uuid4()
    monkeypatch.setenv("VIGILO_POOL", "berlin")
    monkeypatch.setenv("VIGILO_POOL_WORKSPACES", str(workspace).upper())
    monkeypatch.setenv("VIGILO_POOL_ALLOW", "10.0.0.0/8, 127.0.0.0/8")
    monkeypatch.setenv("VIGILO_OWN_LISTENERS", "127.0.0.1:8080")
    monkeypatch.setenv("VIGILO_DNS_SERVERS", "127.0.0.1:5353,192.0.2.53,[::1]:53")
    settings = read(ScannerSettings)
    assert settings.workspaces == frozenset({workspace})
    assert settings.dns_addresses() == (("127.0.0.1", 5353), ("192.0.2.53", 53), ("::1", 53))
    settings.scan_egress().check("10.1.1.1", 443)
    with pytest.raises(EgressDenied, match="own listeners"):
        settings.scan_egress().check("127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("POOL", "Now!", "VIGILO_POOL"),
        ("POOL", "berlin", "VIGILO_POOL_WORKSPACES"),
        ("POOL_WORKSPACES", "mine", "VIGILO_POOL_WORKSPACES"),
        ("POOL_ALLOW", "10.0.0.0/99", "not a CIDR"),
        ("OWN_LISTENERS", "8080", "not address:port"),
        ("DNS_SERVERS", "dns.test", "VIGILO_DNS_SERVERS"),
        ("DNS_SERVERS", "127.0.0.1:0", "VIGILO_DNS_SERVERS"),
        ("EHLO_NAME", "two words", "VIGILO_EHLO_NAME"),
        ("SCANNER_CONCURRENCY", "0", "VIGILO_SCANNER_CONCURRENCY"),
        ("SCANNER_CONNECTIONS_PER_ADDRESS", "0", "VIGILO_SCANNER_CONNECTIONS_PER_ADDRESS"),
        ("SCANNER_STOP_SECONDS", "-1", "VIGILO_SCANNER_STOP_SECONDS"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str) -> None:
    monkeypatch.setenv(f"VIGILO_{variable}", value)
    with pytest.raises(BadSettings, match=words):
        read(ScannerSettings)


@pytest.mark.parametrize(
    ("value", "name"),
    [("", None), ("Scanner.Example.com.", "scanner.example.com"), ("192.0.2.1", "[192.0.2.1]"), ("::1", "[IPv6:::1]")],
)
def test_the_ehlo_name_is_a_name_or_a_literal(monkeypatch: pytest.MonkeyPatch, value: str, name: str | None) -> None:
    monkeypatch.setenv("VIGILO_EHLO_NAME", value)
    assert read(ScannerSettings).ehlo_name == name
