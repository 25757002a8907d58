"""What a person's message means, in the light of what the bot has asked for; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_COMMAND: Final = re.compile(r"/([A-Za-z_]{1,32})(?:@\w+)?(?:\s+(.*))?", re.DOTALL)
_EMAIL: Final = re.compile(r"[^@\s]{1,200}@[^@\s]{1,200}")
LONGEST_TITLE: Final = 500
LONGEST_PASSWORD: Final = 500


class Step(StrEnum):
    """What the bot waits for."""

    NOTHING = ""
    EMAIL = "email"
    PASSWORD = "password"  # noqa: S105 - the name of a step
    TITLE = "title"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Dialog:
    """A step, and what belongs to it: the e-mail address, or the task of a comment."""

    step: Step = Step.NOTHING
    detail: str = ""


class Wish(StrEnum):
    """What a person wants."""

    START = "start"
    BOARD = "board"
    CREATE = "new"
    OWN_TASKS = "my"
    SETTINGS = "settings"
    SIGN_IN = "signin"
    SIGN_OUT = "signout"
    HELP = "help"
    CANCEL = "cancel"
    GIVE_EMAIL = "give email"
    EMAIL_INVALID = "email invalid"
    GIVE_PASSWORD = "give password"  # noqa: S105 - the name of a wish
    COMMENT = "comment"
    UNKNOWN = "unknown"


_COMMANDS: Final = frozenset(
    {
        Wish.START,
        Wish.BOARD,
        Wish.CREATE,
        Wish.OWN_TASKS,
        Wish.SETTINGS,
        Wish.SIGN_IN,
        Wish.SIGN_OUT,
        Wish.HELP,
        Wish.CANCEL,
    }
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A wish, the words that belong to it, and what the bot waits for next."""

    wish: Wish
    said: str = ""
    then: Dialog = Dialog()


def understand(text: str, dialog: Dialog) -> Meaning:
    """Read a message; a command ends whatever the bot has asked for."""
    found = _COMMAND.fullmatch(text.strip())
    if found is not None and not _is_secret(dialog, found[1]):
        return _command(found[1].lower(), " ".join((found[2] or "").split()))
    return _answer(text, dialog)


def _is_secret(dialog: Dialog, command: str) -> bool:
    """Whether this is a password, which may begin with a slash like a command."""
    return dialog.step is Step.PASSWORD and command.lower() not in _COMMANDS


def _command(name: str, said: str) -> Meaning:
    if name not in _COMMANDS:
        return Meaning(Wish.UNKNOWN)
    wish = Wish(name)
    if wish is Wish.SIGN_IN:
        return Meaning(wish, then=Dialog(Step.EMAIL))
    if wish is Wish.CREATE and not said:
        return Meaning(wish, then=Dialog(Step.TITLE))
    return Meaning(wish, said[:LONGEST_TITLE])


def _answer(text: str, dialog: Dialog) -> Meaning:
    said = text.strip()
    match dialog.step:
        case Step.EMAIL if _EMAIL.fullmatch(said):
            return Meaning(Wish.GIVE_EMAIL, said, Dialog(Step.PASSWORD, said))
        case Step.EMAIL:
            return Meaning(Wish.EMAIL_INVALID, then=dialog)
        case Step.PASSWORD:
            return Meaning(Wish.GIVE_PASSWORD, text.strip("\r\n")[:LONGEST_PASSWORD])
        case Step.TITLE if said:
            return Meaning(Wish.CREATE, " ".join(said.split())[:LONGEST_TITLE])
        case Step.COMMENT if said:
            return Meaning(Wish.COMMENT, said)
        case _:
            return Meaning(Wish.UNKNOWN, then=dialog)
