"""Certificate changes: what is different between the certificate a host had and the one it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.grader.state import Chains, Grades, StoredChain, issuers_digest
from vigilo.events.cards import CertificateChange, ChangeKind, PathCertificate, Unexpected
from vigilo.events.facts import NAMES_MAX, CertificateFacts
from vigilo.events.scans import Snapshot
from vigilo.grading.card import path_certificate
from vigilo.grading.key_strength import is_weaker
from vigilo.tls.certificate import read_certificate, read_names

_DAY_SECONDS = 86_400
_HALF = 0.5
_NAMES_LISTED = 100
_NAMES_CHARACTERS = 8_192  # with two such lists a change still fits in a row beside its report card
_ISSUERS_LISTED = 8


@dataclass(frozen=True, slots=True)
class Served:
    """A host's own certificate at one time: `chain` is None when its bytes are not known."""

    leaf: PathCertificate
    issuers: str | None
    chain: StoredChain | None


def served_before(before: Grades, chains: Chains) -> Served | None:
    """What the host had; None before a first certificate."""
    if before.leaf is None:
        return None
    digest = None if before.issuers is None else before.issuers.digest
    own = [chain for chain in chains.chains if chain.fingerprints[0] == before.leaf.fingerprint_sha256]
    same = [chain for chain in own if issuers_digest(chain.fingerprints) == digest]
    return Served(before.leaf, digest, next(iter(same or own), None))


def leaf_change(snapshot: Snapshot, old: Served, chain: StoredChain | None) -> CertificateChange:
    """The leaf is another one. `chain` is the snapshot's with its bytes, if they are known.

    Ask only where services.grader.rollouts says that the change is settled.
    """
    new = snapshot.chain[0]
    days, share = _left(old.leaf, at=snapshot.requested_at)
    facts: dict[str, Any] = {
        "days_left_of_old": days,
        "share_left_of_old": share,
        "issuer_changed": old.leaf.issuer != new.issuer,
        **_compared(new, old.chain, chain),
        **_chains_compared(snapshot, old),
    }
    return _change(snapshot, ChangeKind.LEAF, old, facts | {"unexpected": _unexpected(facts)})


def chain_change(snapshot: Snapshot, old: Served) -> CertificateChange:
    """Under the same leaf others are served. Ask only where services.grader.issuers says that this is settled."""
    facts: dict[str, Any] = {"issuer_changed": False, "key_reused": True, "names_added_count": 0, "names_lost_count": 0}
    return _change(snapshot, ChangeKind.CHAIN, old, facts | _chains_compared(snapshot, old))


def _change(snapshot: Snapshot, kind: ChangeKind, old: Served, facts: dict[str, Any]) -> CertificateChange:
    return CertificateChange(
        scan_id=snapshot.scan_id,
        target=snapshot.target,
        requested_at=snapshot.requested_at,
        kind=kind,
        old=old.leaf,
        new=path_certificate(snapshot.chain[0]),
        **facts,
    )


def _left(old: PathCertificate, *, at: datetime) -> tuple[float | None, float | None]:
    if old.not_after is None or old.not_before is None or old.not_after <= old.not_before:
        return None, None
    left = (old.not_after - at).total_seconds()
    # One that was replaced before it became valid had all of its life left, not more.
    share = min(left / (old.not_after - old.not_before).total_seconds(), 1.0)
    return round(left / _DAY_SECONDS, 3), round(share, 4)


def _compared(new: CertificateFacts, old_chain: StoredChain | None, chain: StoredChain | None) -> dict[str, Any]:
    """What only the old certificate itself can tell; nothing when its bytes are not known."""
    if old_chain is None:
        return {"new_key": _key(new)}
    old_der = old_chain.bytes_()[0]
    old = read_certificate(old_der)
    same_issuer_key = None if None in (old.aki_hex, new.aki_hex) else old.aki_hex == new.aki_hex
    return {
        "old_key": _key(old),
        "new_key": _key(new),
        "key_reused": None if None in (old.spki_sha256, new.spki_sha256) else old.spki_sha256 == new.spki_sha256,
        "key_weaker": is_weaker(new, old),
        "issuer_key_changed": None if same_issuer_key is None else not same_issuer_key,
        **_names_compared(read_names(old_der), read_names(chain.bytes_()[0]) if chain else _complete_names(new)),
    }


def _key(certificate: CertificateFacts) -> str | None:
    """As people say it: `rsa 2048`."""
    if certificate.parse_error is not None and certificate.spki_sha256 is None:
        return None
    bits = "" if certificate.key_bits is None else f" {certificate.key_bits}"
    return f"{certificate.key_algorithm}{bits}"


def _complete_names(certificate: CertificateFacts) -> tuple[str, ...] | None:
    names = (*certificate.san, *certificate.san_ip)
    return names if certificate.parse_error is None and len(names) < NAMES_MAX else None


def _names_compared(old: Sequence[str] | None, new: Sequence[str] | None) -> dict[str, Any]:
    if old is None or new is None:
        return {}
    added, lost = _missing(new, from_=old), _missing(old, from_=new)
    return {
        "names_added": _listed(added),
        "names_lost": _listed(lost),
        "names_added_count": len(added),
        "names_lost_count": len(lost),
    }


def _missing(names: Sequence[str], *, from_: Sequence[str]) -> list[str]:
    there = {name.lower() for name in from_}
    return list({name.lower(): name for name in names if name.lower() not in there}.values())


def _listed(names: Sequence[str]) -> tuple[str, ...]:
    kept, characters = list[str](), 0
    for name in names[:_NAMES_LISTED]:
        characters += len(name)
        if characters > _NAMES_CHARACTERS:
            break
        kept.append(name)
    return tuple(kept)


def _chains_compared(snapshot: Snapshot, old: Served) -> dict[str, Any]:
    now = issuers_digest(snapshot.chain_sha256)
    changed = None if old.issuers is None else old.issuers != now
    if not changed or old.chain is None or issuers_digest(old.chain.fingerprints) != old.issuers:
        return {"chain_changed": changed}
    before, after = set(old.chain.fingerprints[1:]), set(snapshot.chain_sha256[1:])
    added = [one for one in snapshot.chain[1:] if one.fingerprint_sha256 not in before]
    lost = [
        read_certificate(der)
        for one, der in zip(old.chain.fingerprints[1:], old.chain.bytes_()[1:], strict=True)
        if one not in after
    ]
    return {"chain_changed": True, "chain_added": _path(added), "chain_lost": _path(lost)}


def _path(certificates: Sequence[CertificateFacts]) -> tuple[PathCertificate, ...]:
    once = {one.fingerprint_sha256: one for one in certificates}
    return tuple(path_certificate(one) for one in list(once.values())[:_ISSUERS_LISTED])


def _unexpected(facts: dict[str, Any]) -> tuple[Unexpected, ...]:
    share = facts["share_left_of_old"]
    seen = {
        Unexpected.ISSUER_CHANGED: facts["issuer_changed"],
        Unexpected.NAME_LOST: facts.get("names_lost_count"),
        Unexpected.KEY_WEAKER: facts.get("key_weaker"),
        Unexpected.REPLACED_EARLY: share is not None and share > _HALF,
    }
    return tuple(what for what, holds in seen.items() if holds)
