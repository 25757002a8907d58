"""What only bots do, as it crosses the pipe: what they hear, edit, answer, and show of themselves."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from session_worker.protocol.outgoing import Keyboard, Mark
from session_worker.protocol.pipe_fields import (
    CommandText,
    Ids,
    Int64,
    Label,
    Name,
    Phone,
    PipeValue,
    Seconds,
    Text,
)


class Speaker(PipeValue):
    """The person whom a bot hears, as far as a bot may know them."""

    user_id: Int64
    first_name: Name = ""
    last_name: Name = ""
    username: Name | None = None


class HeardMessage(PipeValue):
    """What a person wrote to the bot, or a command in a group; ``phone`` is set if they shared their own."""

    kind: Literal["message"] = "message"
    chat_id: Int64
    message_id: Int64
    date: Int64
    speaker: Speaker
    text: Text = ""
    phone: Phone | None = None
    reply_to: Int64 | None = None


class ButtonPress(PipeValue):
    """A pressed button with data; the bot should answer it within seconds."""

    kind: Literal["press"] = "press"
    query_id: Int64
    chat_id: Int64
    message_id: Int64
    user_id: Int64
    data: Label = ""


class Stopped(PipeValue):
    """A person has blocked the bot, or no longer blocks it."""

    kind: Literal["stopped"] = "stopped"
    user_id: Int64
    date: Int64
    is_stopped: bool


HeardByBot = Annotated[HeardMessage | ButtonPress | Stopped, Field(discriminator="kind")]


class Heard(PipeValue):
    """Event: something happened to the bot that is no message for Planfix; store it and confirm that."""

    kind: Literal["heard"] = "heard"
    positions: Ids
    what: HeardByBot


class EditMessage(PipeValue):
    """Command: change the text and the buttons of a message that the bot wrote; without a text only the buttons."""

    kind: Literal["edit_message"] = "edit_message"
    request_id: int
    peer_id: int
    message_id: int
    text: CommandText | None = None
    marks: tuple[Mark, ...] = ()
    keyboard: Keyboard | None = None
    without_preview: bool = False


NOT_IN_CHAT: Final = "MESSAGE_NOT_IN_CHAT"
"""Our own code, because Telegram has none: the chat has no such message."""


class DeleteMessages(PipeValue):
    """Command: delete messages of a chat for both sides; NOT_IN_CHAT if there are none."""

    kind: Literal["delete_messages"] = "delete_messages"
    request_id: int
    peer_id: int
    message_ids: tuple[int, ...]


class AnswerPress(PipeValue):
    """Command: answer a pressed button with a note, an alert or an address, or only end the waiting."""

    kind: Literal["answer_press"] = "answer_press"
    request_id: int
    query_id: int
    text: CommandText = ""
    is_alert: bool = False
    url: CommandText | None = None


class BotCommand(PipeValue):
    """A command that people may write to the bot, without its slash."""

    name: CommandText
    description: CommandText


class PresentBot(PipeValue):
    """Command: set the commands that the bot shows in a language, and the Mini App in its menu."""

    kind: Literal["present_bot"] = "present_bot"
    request_id: int
    commands: tuple[BotCommand, ...] = ()
    language: CommandText = ""
    menu_text: CommandText = ""
    menu_url: CommandText | None = None


class Done(PipeValue):
    """Event: the command is carried out, or Telegram refuses it with this code."""

    kind: Literal["done"] = "done"
    request_id: Int64
    failure: Label | None = None
    retry_after: Seconds | None = None


BotRequest = EditMessage | DeleteMessages | AnswerPress | PresentBot
BotEvent = Heard | Done
