"""What is done to a chain afterwards is found, by its hashes, by its head or by the topic's copy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from services.api.audit.chain import START, Copies, Flaw, Link, compare, entry_hash, link_of, next_entry, verify_chain
from services.api.audit.change import Change
from vigilo.events.codec import decode_value, encode_value
from vigilo.events.records import AuditEntry

WORKSPACE = UUID("019ab000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def chain(count: int, *, actor: str = "user:1") -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    last = START
    for n in range(count):
        change = Change("host.edit", f"host:{n}", {"port": n, "sni": None}, {"port": n + 1, "sni": "x"})
        at = AT + timedelta(microseconds=n)
        entries.append(next_entry(last, change, workspace_id=WORKSPACE, actor=actor, origin="192.0.2.1", at=at))
        last = link_of(entries[-1])
    return entries


def found(entries: list[AuditEntry], head: Link | None) -> list[tuple[int, Flaw]]:
    return [(one.sequence, one.flaw) for one in verify_chain(entries, head)]


def test_a_chain_as_written_is_whole() -> None:
    entries = chain(5)
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].previous_hash == "0" * 64
    assert found(entries, link_of(entries[-1])) == []
    assert found([], None) == found([], START) == []


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "user:2"}, {"action": "host.add"}, {"subject": "host:9"}, {"origin": None}, {"before": None},
        {"after": {"port": 3, "sni": "y"}}, {"at": AT}, {"workspace_id": UUID(int=1)},
    ],
)  # fmt: skip
def test_any_altered_field_is_found_where_it_is(change: dict[str, object]) -> None:
    entries = chain(5)
    entries[2] = entries[2].model_copy(update=change)
    assert found(entries, link_of(entries[-1])) == [(3, Flaw.ALTERED)]


def test_an_altered_entry_with_a_hash_of_its_own_is_found_at_the_next_link() -> None:
    entries = chain(5)
    forged = entries[2].model_copy(update={"actor": "user:2"})
    entries[2] = forged.model_copy(update={"hash": entry_hash(forged)})
    assert found(entries, link_of(entries[-1])) == [(4, Flaw.UNLINKED)]


def test_the_last_entry_with_a_hash_of_its_own_is_found_by_the_head() -> None:
    entries = chain(3)
    head = link_of(entries[-1])
    forged = entries[2].model_copy(update={"actor": "user:2"})
    entries[2] = forged.model_copy(update={"hash": entry_hash(forged)})
    assert found(entries, head) == [(3, Flaw.WRONG_HEAD)]


@pytest.mark.parametrize("gone", [0, 2, 4])
def test_a_deleted_entry_is_found_at_either_end_and_in_the_middle(gone: int) -> None:
    entries = chain(5)
    head = link_of(entries[-1])
    del entries[gone]
    assert found(entries, head) == [(gone + 1, Flaw.MISSING)]


def test_everything_deleted_is_found_while_the_head_is_there() -> None:
    assert found([], link_of(chain(5)[-1])) == [(1, Flaw.MISSING)]
    assert found(chain(5), None) == [(5, Flaw.WRONG_HEAD)]


def test_a_table_chained_again_is_sound_by_itself_and_found_by_the_copy() -> None:
    copies = Copies()
    for entry in chain(5):
        copies.take(entry)
    again = chain(5, actor="somebody else")
    assert found(again, link_of(again[-1])) == []
    compared = compare({entry.sequence: entry.hash for entry in again}, copies)
    assert [(one.sequence, one.flaw) for one in compared.findings] == [(n, Flaw.DIFFERS) for n in range(1, 6)]


def test_a_shortened_table_and_head_are_found_by_the_copy() -> None:
    copies = Copies()
    for entry in chain(5):
        copies.take(entry)
    compared = compare({entry.sequence: entry.hash for entry in chain(3)}, copies)
    assert [(one.sequence, one.flaw) for one in compared.findings] == [(4, Flaw.MISSING), (5, Flaw.MISSING)]


def test_a_copy_may_be_late_repeated_and_without_its_outlived_beginning() -> None:
    entries, copies = chain(6), Copies()
    for entry in (*entries[2:4], entries[3]):
        copies.take(entry)
    compared = compare({entry.sequence: entry.hash for entry in entries}, copies)
    assert (compared.findings, compared.compared, compared.unpublished) == ((), 2, 2)


def test_a_copy_with_a_hole_or_a_forged_record_is_found() -> None:
    entries, copies = chain(4), Copies()
    copies.take(entries[0])
    copies.take(entries[2].model_copy(update={"actor": "user:2"}))
    forged = entries[2].model_copy(update={"actor": "user:3"})
    copies.take(forged.model_copy(update={"hash": entry_hash(forged)}))
    compared = compare({entry.sequence: entry.hash for entry in entries}, copies)
    assert [(one.sequence, one.flaw) for one in compared.findings] == [
        (3, Flaw.BAD_COPY), (3, Flaw.BAD_COPY), (2, Flaw.DIFFERS),
    ]  # fmt: skip


def test_an_entry_has_the_same_hash_after_its_way_through_the_topic() -> None:
    change = Change("a", "b", {"none": None, "share": 0.1, "deep": [{"x": None, "é": "\U0001f600"}]}, None)
    entry = next_entry(START, change, workspace_id=WORKSPACE, actor="x", origin=None, at=AT)
    again = decode_value(encode_value(entry), AuditEntry)
    assert again == entry and entry_hash(again) == entry.hash


def test_the_hash_does_not_depend_on_the_time_zone_it_was_read_in() -> None:
    (entry,) = chain(1)
    moved = entry.model_copy(update={"at": entry.at.astimezone(timezone(timedelta(hours=2)))})
    assert entry_hash(moved) == entry.hash


def test_secrets_are_masked_before_they_are_hashed() -> None:
    change = Change("channel.edit", "channel:1", {"secret": "whsec_aaaa"}, {"notes": "vgl_" + "x" * 43})
    entry = next_entry(START, change, workspace_id=WORKSPACE, actor="x", origin=None, at=AT)
    assert entry.before == {"secret": "***"} and entry.after == {"notes": "***"}
    assert entry_hash(entry) == entry.hash


def test_the_published_examples_are_a_chain() -> None:
    folder = Path(__file__).parents[5] / "schemas" / "examples" / "audit-entry" / "1"
    names = ("first-entry", "change-with-masked-secret")
    entries = [decode_value((folder / f"{name}.json").read_bytes(), AuditEntry) for name in names]
    assert found(entries, link_of(entries[-1])) == []
