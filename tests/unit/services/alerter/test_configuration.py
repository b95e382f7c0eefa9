"""Records of the configuration topics become one rule set; a bad one stops nobody."""

from __future__ import annotations

from services.alerter.configuration import Configuration
from tests.fakes.inputs import RULE, WORKSPACE, rule
from vigilo.adapters.streams import BroadcastReader
from vigilo.events.codec import encode_value
from vigilo.events.envelope import Record
from vigilo.events.rules import AlertRule, RecordStatus


def arrive(reader: BroadcastReader, offset: int, value: bytes | None) -> None:
    """What the reader does with one record that comes later."""
    key = str(RULE)
    reader._latest.pop(key, None)
    if value is not None:
        reader._latest[key] = Record("alert-rules", 0, offset, 0, key.encode(), value, ())
    reader._next[0] = offset + 1
    assert reader.on_change is not None
    reader.on_change(frozenset({key}))


def text(one: AlertRule) -> bytes:
    return encode_value(one)


def test_the_last_readable_version_of_each_rule_counts() -> None:
    heard: list[int] = []
    configuration = Configuration(on_change=lambda: heard.append(1))
    rules = configuration.readers[0]
    assert configuration.current().rules_of(WORKSPACE) == ()
    arrive(rules, 0, text(rule()))
    assert configuration.current().rules_of(WORKSPACE) == (rule(),)
    arrive(rules, 1, b"{not json")
    arrive(rules, 2, text(rule(version=3, name="newer")))
    arrive(rules, 3, text(rule(version=2, name="overtaken")))
    current = configuration.current()
    assert [one.name for one in current.rules_of(WORKSPACE)] == ["newer"]
    assert current.rules[RULE].offset == 2
    assert current.versions == {"alert-rules": 4, "snoozes": 0}
    assert len(heard) == 4


def test_what_came_before_the_first_question_is_all_there() -> None:
    configuration = Configuration()
    arrive(configuration.readers[0], 5, text(rule()))
    assert configuration.current().rules[RULE].offset == 5


def test_a_tombstone_leaves_the_deleted_record_for_those_who_must_close() -> None:
    configuration = Configuration()
    configuration.current()
    arrive(configuration.readers[0], 0, text(rule(status=RecordStatus.DELETED)))
    arrive(configuration.readers[0], 1, None)
    kept = configuration.current().rule(RULE)
    assert kept is not None
    assert kept.name == "expires soon"


def test_the_rule_set_of_a_decision_does_not_change_under_it() -> None:
    configuration = Configuration()
    before = configuration.current()
    arrive(configuration.readers[0], 0, text(rule()))
    assert before.rules_of(WORKSPACE) == ()
    assert configuration.current() is not before


def test_a_rule_of_which_nothing_can_be_read_is_known_to_exist() -> None:
    configuration = Configuration()
    arrive(configuration.readers[0], 0, b"{}")
    assert configuration.current().unreadable == {RULE}
    arrive(configuration.readers[0], 1, text(rule()))
    arrive(configuration.readers[0], 2, b"{}")
    current = configuration.current()
    assert current.rules_of(WORKSPACE) == (rule(),)
    assert current.unreadable == frozenset()
