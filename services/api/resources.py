"""What the running app shares between requests; made in app.py, found through the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from services.api.settings import ApiSettings
from vigilo.adapters.egress import DeliveryEgress, ScanEgress
from vigilo.adapters.postgres import Pool
from vigilo.adapters.secrets import SecretBox


@dataclass(frozen=True, slots=True)
class Resources:
    """Pool, keys and policies of one running app."""

    settings: ApiSettings
    pool: Pool
    box: SecretBox
    scan_egress: ScanEgress
    delivery_egress: DeliveryEgress


def resources(request: Request) -> Resources:
    """The resources of the app that serves this request."""
    return cast(Resources, request.app.state.resources)
