"""How long a server may take to greet. Pure.

postscreen and others let strangers wait for their greeting, because spammers do not (POSTSCREEN_README, "Pregreet
test"): 6 s by default, 15 s were seen. It is no time of the handshake and is not counted as such.
"""

from __future__ import annotations

from vigilo.events.hosts import Protocol
from vigilo.events.scans import ScanReason, ScanRequested
from vigilo.tls.starttls import protocols

GREETING_SECONDS = 20.0


def greeting_seconds(request: ScanRequested) -> float:
    """What a greeting may take beyond the handshake's time: nothing while a person waits for the first snapshot."""
    known = None if request.baseline is None else request.baseline.detected_protocol
    target = request.target
    spoken = protocols.first_choice(target.protocol, target.port, known)
    return GREETING_SECONDS if spoken is Protocol.SMTP and request.reason is not ScanReason.FIRST else 0.0


def words_for_haste(seconds: float) -> str:
    """Said where a greeting was not waited for to the end."""
    return (
        f"the greeting takes longer than {seconds:.0f} s; later scans wait for it up to {GREETING_SECONDS:.0f} s more"
    )
