"""What people write and press to be known to a bot, and what they are told."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from session_worker.protocol.bots import ButtonPress, HeardMessage, Speaker, Stopped
from supervisor.bots.registration import LANGUAGES, Reaction, react
from supervisor.store.people import Person

ANNA = Speaker(user_id=7, first_name="Anna", last_name="B", username="anna")
KNOWN = Person(7, "Anna B", "uk", "anna", phone="380", alias="ops", is_muted=True, is_blocked=True)


def wrote(text: str = "", **fields: Any) -> HeardMessage:
    told = {"chat_id": 7, "message_id": 1, "date": 0, "speaker": ANNA, "text": text}
    return HeardMessage.model_validate(told | fields)


def pressed(data: str) -> ButtonPress:
    return ButtonPress(query_id=1, chat_id=7, message_id=1, user_id=7, data=data)


def person_after(reaction: Reaction | None) -> Person:
    assert reaction is not None
    assert reaction.person is not None
    return reaction.person


def test_start_asks_for_language_and_phone() -> None:
    """A stranger is remembered by name and alias, asked for both in the bot's language."""
    reaction = react(wrote("/start ops"), None, "ru")

    assert person_after(reaction) == Person(7, "Anna B", "ru", "anna", alias="ops")
    assert reaction is not None
    language, phone = reaction.replies
    assert language.keyboard is not None
    assert [b.data for b in language.keyboard.rows[0]] == [f"language:{code}" for code in LANGUAGES]
    assert phone.keyboard is not None
    assert phone.keyboard.rows[0][0].asks_contact


def test_start_brings_somebody_back() -> None:
    """Who has registered before is only told that notifications come again; the alias stays."""
    reaction = react(wrote("/start"), KNOWN, "ru")

    person = person_after(reaction)
    assert (person.muted, person.alias, person.phone) == (False, "ops", "380")
    assert reaction is not None
    assert [reply.text for reply in reaction.replies] == [LANGUAGES["uk"].back]


def test_own_phone_registers() -> None:
    """A phone that is shared is kept, and the keyboard that asked for it disappears."""
    reaction = react(wrote(phone="380671234567"), None, "en")

    assert person_after(reaction).phone == "380671234567"
    assert reaction is not None
    (thanks,) = reaction.replies
    assert thanks.keyboard is not None
    assert thanks.keyboard.kind == "remove"


def test_stop_mutes() -> None:
    """/stop mutes, also with the bot's name behind it."""
    assert person_after(react(wrote("/stop@shop_bot"), None, "en")).is_muted


def test_language_is_chosen() -> None:
    """A pressed language is kept and used at once; who has no phone yet is asked for it."""
    stranger = Person(7, "Anna", "ru")

    reaction = react(pressed("language:en"), stranger, "ru")

    assert person_after(reaction).language == "en"
    assert reaction is not None
    assert [reply.text for reply in reaction.replies] == [LANGUAGES["en"].phone]
    assert reaction.answer == LANGUAGES["en"].chosen


@pytest.mark.parametrize(
    "what",
    [
        wrote("Where is my order?"),
        wrote("/starter"),
        wrote("/start", chat_id=-1001),
        pressed("task:7"),
        pressed("language:xx"),
    ],
)
def test_everything_else_is_left_to_others(what: HeardMessage | ButtonPress) -> None:
    """Other texts, commands in groups, foreign buttons are none of registration's business."""
    assert react(what, KNOWN, "ru") is None


@pytest.mark.parametrize("is_stopped", [True, False])
def test_block_is_noted(is_stopped: bool) -> None:
    """A block mutes somebody who is known; its end brings them back."""
    stop = Stopped(user_id=7, date=1, is_stopped=is_stopped)

    assert person_after(react(stop, KNOWN, "ru")).is_blocked is is_stopped
    assert react(stop, None, "ru") == Reaction(None)


def test_languages_have_all_texts() -> None:
    """No text is empty or left in another language."""
    for name in (field.name for field in fields(LANGUAGES["en"])):
        texts = {getattr(language, name) for language in LANGUAGES.values()}
        assert len(texts) == len(LANGUAGES)
        assert all(texts)
