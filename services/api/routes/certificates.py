"""/certificates/{sha256}: certificates that hosts of the workspace have shown, as JSON or PEM."""

from __future__ import annotations

import base64
import textwrap
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response

from services.api.models.observed import CertificateView
from services.api.openapi import BASE, problems
from services.api.problems import not_found
from services.api.queries import certificates as query
from services.api.queries.hosts import ensure_known
from services.api.reading import Viewing
from services.api.routes.references import host_of

router = APIRouter(prefix=BASE, tags=["certificates"])

# RFC 8555 section 9.1 registers it for chains; a single certificate is a chain of one.
PEM_TYPE: Final = "application/pem-certificate-chain"
_HOSTS_MOST: Final = 200


class Form(StrEnum):
    """How a certificate is answered."""

    JSON = "json"
    PEM = "pem"


Sha256 = Annotated[
    str,
    Path(pattern="^[0-9a-fA-F]{64}$", description="SHA-256 of the certificate's DER, hex", examples=["a1" * 32]),
]
_PEM_ANSWER: Final = {"content": {PEM_TYPE: {"schema": {"type": "string"}}}, "description": "The certificate"}


@router.get("/certificates/{sha256}", response_model=CertificateView, responses={**problems(404), 200: _PEM_ANSWER})
async def get_certificate(
    sha256: Sha256,
    request: Request,
    reading: Viewing,
    form: Annotated[Form | None, Query(alias="format", description="Default: as `Accept` says, else JSON")] = None,
) -> Response:
    """A certificate; PEM with `?format=pem` or `Accept: application/pem-certificate-chain`."""
    fingerprint = bytes.fromhex(sha256)
    row = await query.one(reading.connection, fingerprint)
    if row is None:
        raise not_found("certificate")
    text = None if row["der"] is None else pem(row.pop("der"))
    if (form or (Form.PEM if PEM_TYPE in request.headers.get("accept", "") else Form.JSON)) is Form.PEM:
        if text is None:
            raise not_found("certificate as bytes: no scan has brought them")
        return PlainTextResponse(text, media_type=PEM_TYPE)
    hosts = await query.hosts(reading.connection, fingerprint, limit=_HOSTS_MOST)
    shown = [host_of(host, host["host_id"]) for host in hosts]
    view = CertificateView(**row, sha256=fingerprint.hex(), pem=text, hosts=shown)
    return Response(view.model_dump_json(), media_type="application/json")


@router.get("/hosts/{host_id}/chain", responses={**problems(404), 200: _PEM_ANSWER}, response_class=PlainTextResponse)
async def get_chain(host_id: UUID, reading: Viewing) -> Response:
    """The chain a host served last, as PEM, leaf first."""
    await ensure_known(reading.connection, host_id)
    chain = await query.chain_of(reading.connection, host_id)
    if not chain or any(one["der"] is None for one in chain):
        raise not_found("chain, or not all of its certificates were brought by a scan")
    return PlainTextResponse("".join(pem(one["der"]) for one in chain), media_type=PEM_TYPE)


def pem(der: bytes) -> str:
    """The textual form of RFC 7468: lines of 64 characters, a newline at the end."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
