"""A host with a certificate of a private authority: F until its issuer is trusted, and F again when it no longer is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.vigilo import Vigilo, eventually
from tests.fakes.pki import Authority
from tests.fakes.tls_server import Serving, TlsServer

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(300)]


def judged(vigilo: Vigilo, host: str, valid: str) -> dict[str, Any]:
    """The newest card once it says so."""

    def card() -> dict[str, Any] | None:
        found = vigilo.card(host)
        return found if found is not None and found["chain_valid"] == valid else None

    return eventually(card, f"a card with chain_valid {valid}")


def test_trusting_an_issuer_and_taking_it_back_is_on_the_card_within_seconds(vigilo: Vigilo) -> None:
    authority = Authority.create("Private E2E")
    with TlsServer(Serving(authority.leaf("127.0.0.1", "localhost"))) as server:
        host = vigilo.add_host("127.0.0.1", server.port)
        before = judged(vigilo, host, "no")
        assert (before["grade"], before["chain_reason"]) == ("F", "unknown-issuer")

        issuer = before["path"][1]["fingerprint_sha256"]
        added = vigilo.post("roots", {"from_host": host, "certificate": issuer})
        assert (added["kind"], added["sha256"]) == ("intermediate", issuer)
        trusted = judged(vigilo, host, "yes")
        assert trusted["grade"] != "F"
        assert "+private-" in trusted["trust_store"]

        assert vigilo.client.delete(f"roots/{issuer}").status_code == 204
        again = judged(vigilo, host, "no")
        assert (again["grade"], again["trust_store"]) == ("F", before["trust_store"])

        vigilo.post("roots", {"pem": authority.root.pem.decode()})
        assert judged(vigilo, host, "yes")["chain_reason"] is None
