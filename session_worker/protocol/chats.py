"""Which chats of a number concern Planfix, and since when, as it crosses the pipe."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import FailFast, Field

from session_worker.protocol.pipe_fields import (
    CommandText,
    Detail,
    Int64,
    Label,
    Name,
    Phone,
    PipeValue,
)

MOST_CHATS = 1000  # that one preview shows
MOST_FOLDERS = 100  # that a selection may name


class Mode(StrEnum):
    """What a selection says about the chats that it names."""

    ALL = "all"  # every chat goes to Planfix
    ONLY = "only"  # the named chats go, and no others
    EXCEPT = "except"  # the named chats are left out


class ChatSelection(PipeValue):
    """Which chats go to Planfix.

    People are named by id, user name, full name or phone, folders by their titles; `contacts` names
    everybody in the contact list.
    """

    mode: Mode = Mode.ALL
    people: tuple[CommandText, ...] = Field((), repr=False)
    folders: tuple[CommandText, ...] = ()
    contacts: bool = False


class ListChats(PipeValue):
    """Command: list the private chats, and whether they go to Planfix under this selection.

    Unless `with_names` is set, the worker names those who are left out only by their ids.
    """

    kind: Literal["list_chats"] = "list_chats"
    request_id: int
    selection: ChatSelection | None = None
    with_names: bool = False


class ListedChat(PipeValue):
    """One private chat; the names may be withheld."""

    peer_id: Int64
    is_chosen: bool
    name: Name | None = None
    username: Name | None = None
    phone: Phone | None = None


class ChatsListed(PipeValue):
    """Event: the private chats, the latest first, or why they could not be listed."""

    kind: Literal["chats_listed"] = "chats_listed"
    request_id: Int64
    chats: Annotated[tuple[ListedChat, ...], FailFast(), Field(max_length=MOST_CHATS)] = ()
    is_complete: bool = True
    unknown_folders: Annotated[tuple[Label, ...], FailFast(), Field(max_length=MOST_FOLDERS)] = ()
    failure: Detail = ""


class LeftOut(PipeValue):
    """Event: the chat of a stored message is left out by now, so its row is to be erased."""

    kind: Literal["left_out"] = "left_out"
    row: Int64


ChatCommand = ListChats
ChatEvent = ChatsListed | LeftOut
