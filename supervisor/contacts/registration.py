"""How people register with a bot: what they write and press, and what they are told."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from session_worker.protocol.bots import ButtonPress, HeardMessage, Stopped
from session_worker.protocol.outgoing import Button, Keyboard
from supervisor.contacts.registration_texts import LANGUAGES, Texts
from supervisor.store.people import Person

if TYPE_CHECKING:
    from session_worker.protocol.bots import HeardByBot

_COMMAND = re.compile(r"/(start|stop|language)(?:@\w+)?(?:\s+(\S{1,64}))?\s*", re.IGNORECASE)
_CHOICE = "language:"


@dataclass(frozen=True, slots=True)
class Reply:
    """A message to the person who registers."""

    text: str
    keyboard: Keyboard | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What follows from something that a bot has heard.

    ``answer`` is the note with which a pressed button is answered.
    """

    person: Person | None = None
    replies: tuple[Reply, ...] = ()
    answer: str | None = None


def react(what: HeardByBot, known: Person | None, language: str) -> Reaction | None:
    """Decide what to do; None if this has nothing to do with registration."""
    match what:
        case HeardMessage() if what.chat_id != what.speaker.user_id:
            return None
        case HeardMessage(phone=str(phone)):
            return _register(replace(_person_of(what, known, language), phone=phone))
        case HeardMessage():
            return _react_to_text(what, known, language)
        case ButtonPress():
            return _react_to_press(what, known)
        case Stopped():
            person = known and replace(known, is_blocked=what.is_stopped)
            return Reaction(person)
        case _:
            assert_never(what)


def _react_to_text(what: HeardMessage, known: Person | None, language: str) -> Reaction | None:
    found = _COMMAND.fullmatch(what.text)
    if found is None:
        return None
    person, command, parameter = _person_of(what, known, language), found[1].lower(), found[2]
    texts = LANGUAGES[person.language]
    if command == "stop":
        return Reaction(replace(person, is_muted=True), (Reply(texts.muted),))
    if command == "language":
        return Reaction(person, (_language_question(texts),))
    person = replace(person, is_muted=False, is_blocked=False, alias=parameter or person.alias)
    if person.phone is not None:
        return Reaction(person, (Reply(texts.back),))
    return Reaction(person, (_language_question(texts), _phone_question(texts)))


def _react_to_press(what: ButtonPress, known: Person | None) -> Reaction | None:
    chosen = what.data.removeprefix(_CHOICE)
    if chosen == what.data or chosen not in LANGUAGES:
        return None
    texts = LANGUAGES[chosen]
    if known is None:
        return Reaction(answer=texts.start_first)
    person = replace(known, language=chosen)
    replies = (_phone_question(texts),) if person.phone is None else (Reply(texts.chosen),)
    return Reaction(person, replies, answer=texts.chosen)


def _register(person: Person) -> Reaction:
    texts = LANGUAGES[person.language]
    person = replace(person, is_muted=False, is_blocked=False)
    return Reaction(person, (Reply(texts.registered, Keyboard(kind="remove")),))


def _person_of(what: HeardMessage, known: Person | None, language: str) -> Person:
    """Return the person as they are called now; what they have said before stays."""
    speaker = what.speaker
    name = " ".join(part for part in (speaker.first_name, speaker.last_name) if part)
    person = known or Person(speaker.user_id, name, language)
    return replace(person, name=name, username=speaker.username)


def _language_question(texts: Texts) -> Reply:
    buttons = tuple(
        Button(text=each.name, data=f"{_CHOICE}{code}") for code, each in LANGUAGES.items()
    )
    return Reply(texts.welcome, Keyboard(rows=(buttons,)))


def _phone_question(texts: Texts) -> Reply:
    button = Button(text=texts.share, asks_contact=True)
    keyboard = Keyboard(kind="reply", rows=((button,),), fits_height=True, hides_after_use=True)
    return Reply(texts.phone, keyboard)
