"""From a receiver's name to the one address that may be connected to."""

from __future__ import annotations

import asyncio
import socket

from vigilo.adapters.egress import DeliveryEgress

_DNS_TIMEOUT_SECONDS = 5.0


async def checked_address(egress: DeliveryEgress, host: str, port: int, *, encrypted: bool) -> str:
    """The address to connect to. A name is resolved once, here, and never again before the connection.

    Raises EgressDenied when any of its addresses is forbidden (a mixed answer is a rebinding attempt), OSError
    (TimeoutError after 5 s) when there is none.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_DNS_TIMEOUT_SECONDS):
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # a label too long for IDNA: there is no such name
            raise OSError("no such name") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        egress.check(address, port, encrypted=encrypted)
    return addresses[0]
