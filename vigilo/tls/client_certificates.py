"""A server's demand for a client certificate, in the shape a snapshot carries it. Pure."""

from __future__ import annotations

from vigilo.events.handshakes import CA_NAMES_MAX, ClientCertificateFacts
from vigilo.tls.distinguished_names import name_text
from vigilo.tls.wire.certificate_messages import Authorities


def describe_demand(authorities: Authorities, *, required: bool | None) -> ClientCertificateFacts:
    """What the server demands, and of whom it takes it. Raises nothing for any names."""
    return ClientCertificateFacts(
        required=required,
        ca_names=tuple(name_text(name) for name in authorities.names[:CA_NAMES_MAX]),
        ca_names_count=authorities.count,
    )
