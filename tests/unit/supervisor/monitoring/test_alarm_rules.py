"""What becomes an alarm, and what many numbers have in common."""

from __future__ import annotations

import pytest

from supervisor.monitoring.alarm_rules import LASTING, OLD, AlarmRules
from supervisor.numbers.state import Cause, Change, State

NOW = 1_000_000.0


def change(number: str, state: State, code: str | None = None, client: str = "Acme") -> Change:
    return Change(number, client, NOW, state, Cause(code) if code else None)


def decide(rules: AlarmRules, *changes: Change, now: float = NOW) -> list[tuple[str, str]]:
    """Return kinds and numbers of what the changes lead to."""
    for each in changes:
        rules.add_change(each)
    return [(alarm.kind, " ".join(alarm.numbers)) for alarm in rules.decide(now)]


def test_every_state_is_told_once() -> None:
    """A new state is an alarm; another trouble in the same state is none of this kind."""
    rules = AlarmRules()

    assert decide(rules, change("1", State.STARTING)) == [("number.state", "1")]
    assert decide(rules, change("1", State.ONLINE)) == [("number.state", "1")]
    assert decide(rules, change("1", State.ONLINE, "planfix_unavailable")) == []


def test_number_that_needs_somebody_is_told_until_it_is_well() -> None:
    """Once when somebody is needed, once when the number is well again."""
    rules = AlarmRules()
    lost = change("1", State.NEEDS_LOGIN, "session_revoked")

    assert decide(rules, lost) == [("number.state", "1"), ("number.needs_somebody", "1")]
    assert decide(rules, lost) == []
    assert ("number.well_again", "1") in decide(rules, change("1", State.ONLINE))
    assert decide(rules, change("1", State.ONLINE)) == []


def test_stopped_number_is_not_well() -> None:
    """A number that is stopped, to be started with another login, is well only when it is online."""
    rules = AlarmRules()
    decide(rules, change("1", State.NEEDS_LOGIN, "session_revoked"))

    assert decide(rules, change("1", State.STOPPED)) == [("number.state", "1")]
    assert decide(rules, change("1", State.STARTING)) == [("number.state", "1")]
    assert ("number.well_again", "1") in decide(rules, change("1", State.ONLINE))


def test_one_cause_of_many_numbers_is_one_alarm() -> None:
    """However many numbers Planfix refuses, the operator reads it once, and once that it is over."""
    rules = AlarmRules()
    numbers = [str(count) for count in range(10, 50)]
    decide(rules, *(change(number, State.ONLINE) for number in numbers))

    refused = [change(number, State.ONLINE, "planfix_unauthorized") for number in numbers]
    assert decide(rules, *refused[:30]) == [("fleet.trouble", " ".join(numbers[:30]))]
    assert decide(rules, *refused[30:]) == []
    assert decide(rules, *(change(number, State.ONLINE) for number in numbers[:39])) == []
    assert decide(rules, change(numbers[39], State.ONLINE)) == [
        ("number.well_again", " ".join(numbers))
    ]


def test_clients_do_not_share_their_planfix() -> None:
    """The same refusal by the Planfix accounts of two clients is two causes."""
    rules = AlarmRules()
    refused = [
        change(f"{client}{count}", State.ONLINE, "planfix_unauthorized", client)
        for client in ("A", "B")
        for count in range(3)
    ]

    kinds = [each for each in decide(rules, *refused) if each[0] == "fleet.trouble"]

    assert kinds == [("fleet.trouble", "A0 A1 A2"), ("fleet.trouble", "B0 B1 B2")]


def test_what_passes_by_itself_is_told_when_it_lasts() -> None:
    """Numbers that reconnect for a moment are no trouble; after a while they are one, all together."""
    rules = AlarmRules()
    cut = [change(str(n), State.RECONNECTING, "telegram_unreachable") for n in range(5)]

    assert ("fleet.trouble", "0 1 2 3 4") not in decide(rules, *cut)
    assert decide(rules, now=NOW + LASTING) == [("fleet.trouble", "0 1 2 3 4")]


def test_numbers_on_their_way_are_no_trouble() -> None:
    """A gateway that starts two hundred numbers raises no alarm about that."""
    rules = AlarmRules()

    kinds = {
        kind for kind, _ in decide(rules, *(change(str(n), State.STARTING) for n in range(200)))
    }

    assert kinds == {"number.state"}
    assert decide(rules, now=NOW + 60) == []


def test_dead_letters_of_one_cause_are_one_alarm() -> None:
    """Ten messages that one Planfix refuses are one alarm, with their count."""
    rules = AlarmRules()
    rules.add_dead("1", "Acme", ["planfix_rejected"] * 7)
    rules.add_dead("2", "Acme", ["planfix_rejected"] * 3)

    [alarm] = rules.decide(NOW)

    assert (alarm.kind, alarm.numbers, alarm.cause) == (
        "message.dead",
        ("1", "2"),
        "planfix_rejected",
    )
    assert alarm.messages == 10
    assert rules.decide(NOW) == []


@pytest.mark.parametrize(("age", "told"), [(OLD - 1, 0), (OLD + 1, 1)])
def test_old_backlog_is_told_once(age: float, told: int) -> None:
    """Messages that wait for more than five minutes are an alarm, until they are delivered."""
    rules = AlarmRules()
    waiting = {"1": NOW - age}

    assert len(rules.decide_backlog(NOW, waiting, {"1": "Acme"})) == told
    assert rules.decide_backlog(NOW, waiting, {"1": "Acme"}) == []
    rules.decide_backlog(NOW, {}, {})
    assert len(rules.decide_backlog(NOW, waiting, {"1": "Acme"})) == told
