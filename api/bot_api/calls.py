"""The methods of the Bot API that send, edit and delete."""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from quart import Blueprint, Response, current_app, request
from quart_schema import hide

from api.bot_api.answers import (
    UNREACHABLE_WAIT,
    BotApiError,
    bad_request,
    describe_bot,
    describe_chat,
    describe_file,
    describe_message,
    from_refusal,
    respond,
    sent_message,
    too_many_requests,
)
from api.bot_api.fields import read_parameters
from api.context import context, require_here
from api.nodes.forwarding import forward
from api.requests.errors import ApiError
from supervisor.errors import (
    NumberElsewhere,
    StorageFull,
    TelegramRefused,
    WorkerTimeout,
    WorkerUnavailable,
)
from supervisor.notifications.formatting.marked_text import width_of
from supervisor.notifications.notice import (
    LONGEST_CAPTION,
    LONGEST_TEXT,
    Attachment,
    Manner,
    beside_loop,
    make_notice,
)
from supervisor.notifications.recipients import AddressKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from api.bot_api.fields import Parameters
    from supervisor.notifications.formatting.marked_text import MarkedText
    from supervisor.notifications.notice import Keyboard
    from supervisor.notifications.recipients import Address
    from supervisor.store.values import Bot

    Method = Callable[[Bot, Parameters], Awaitable[Any]]

LARGEST_PHOTO = 10 << 20  # bytes
STORAGE_WAIT = 60  # seconds
_LINK = re.compile(r"(?i:https?)://[^\s/][^\x00-\x20]*")
_PICTURES = (".jpg", ".jpeg", ".png")

blueprint = Blueprint("bot_api", __name__)


@blueprint.route("/bot<token>/<method>", methods=["GET", "POST"])
@hide
async def call_method(token: str, method: str) -> Response:
    """Carry out a method as Telegram's own server would, but store the message durably first."""
    try:
        bot = await _admit(token)
        if method.lower() not in _ANYWHERE:
            await require_here(bot.bot)
        run = _METHODS.get(method.lower(), _no_method)
        open_upload = partial(context().gateway.bots.uploads.open, bot.bot)
        parameters = await read_parameters(request, open_upload)
        try:
            return respond(await run(bot, parameters))
        finally:
            await parameters.discard_files()
    except BotApiError as error:
        return error.as_response()
    except StorageFull:
        return too_many_requests(STORAGE_WAIT).as_response()
    except TelegramRefused as error:
        return from_refusal(error).as_response()
    except (WorkerUnavailable, WorkerTimeout):
        return too_many_requests(UNREACHABLE_WAIT).as_response()


@blueprint.errorhandler(NumberElsewhere)
async def hand_over(error: NumberElsewhere) -> Response:
    """Let the node that runs the bot answer; a program that gets no answer tries again."""
    answer = await forward(error)
    is_lost = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    return too_many_requests(UNREACHABLE_WAIT).as_response() if is_lost else answer


async def _admit(token: str) -> Bot:
    try:
        return await context().authenticator.require_bot(request, token)
    except ApiError as error:
        words = {401: "Unauthorized", 429: "Too Many Requests: retry after 5"}
        description = words.get(error.status, error.code)
        raise BotApiError(error.status, description, 5 if error.status == 429 else None) from error


async def _no_method(_bot: Bot, _parameters: Parameters) -> Any:
    raise BotApiError(404, "Not Found: method not found")


async def _get_me(bot: Bot, _parameters: Parameters) -> dict[str, Any]:
    return {
        **describe_bot(bot),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


async def _send_message(bot: Bot, parameters: Parameters) -> dict[str, Any]:
    return await _send(bot, parameters, await _text_of(parameters), [])


async def _text_of(parameters: Parameters) -> MarkedText:
    text = await _marked(parameters, "text")
    if not text.text:
        raise bad_request("message text is empty")
    if width_of(text.text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return text


async def _marked(parameters: Parameters, name: str) -> MarkedText:
    return await beside_loop(len(parameters.text(name)), parameters.marked, name)


async def _send_photo(bot: Bot, parameters: Parameters) -> dict[str, Any]:
    return await _send_file(bot, parameters, "photo")


async def _send_document(bot: Bot, parameters: Parameters) -> dict[str, Any]:
    return await _send_file(bot, parameters, "document")


async def _send_file(bot: Bot, parameters: Parameters, kind: str) -> dict[str, Any]:
    text = await _marked(parameters, "caption")
    if width_of(text.text) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    _ = parameters.address  # a wrong chat is refused before the file is kept
    file = await _file(parameters, kind)
    shown = await _send(bot, parameters, text, [file])
    return shown | describe_file(kind, file, shown["message_id"])


async def _send(
    bot: Bot, parameters: Parameters, text: MarkedText, files: list[Attachment]
) -> dict[str, Any]:
    """Store the message, then wait a little for its id."""
    notifications = context().gateway.notifications
    manner = Manner(
        keyboard=parameters.keyboard,
        is_silent=parameters.flag("disable_notification"),
        is_protected=parameters.flag("protect_content"),
        without_preview=parameters.without_preview,
        reply_to=parameters.reply_to,
    )
    notice = make_notice(text, files, manner)
    sender = await notifications.sender_of(bot.bot)
    address = parameters.address
    accepted = await context().work.run(notifications.notify(sender, [address], notice, manner))
    patience: float = current_app.config["MESSAGE_ID_TIMEOUT"]
    outcomes = await notifications.wait(bot.bot, accepted.id or "", patience)
    sent = sent_message(accepted, outcomes)
    return await _describe(
        *(bot, sent.chat_id, sent.message_id, text), manner.keyboard, is_caption=bool(files)
    )


async def _edit_message_text(bot: Bot, parameters: Parameters) -> dict[str, Any]:
    text = await _text_of(parameters)
    chat_id, message_id = _message_of(parameters)
    keyboard = parameters.keyboard
    edit = context().gateway.bots.requests.edit
    await edit(
        *(bot.bot, chat_id, message_id, text.text, text.marks),
        keyboard=keyboard,
        without_preview=parameters.without_preview,
    )
    shown = await _describe(bot, chat_id, message_id, text, keyboard)
    return {**shown, "edit_date": shown["date"]}


async def _delete_message(bot: Bot, parameters: Parameters) -> bool:
    chat_id, message_id = _message_of(parameters)
    await context().gateway.bots.requests.delete(bot.bot, chat_id, [message_id])
    return True


def _message_of(parameters: Parameters) -> tuple[int, int]:
    message_id = parameters.number("message_id")
    address: Address = parameters.address
    if not message_id or address.kind is not AddressKind.CHAT:
        raise bad_request("message identifier is not specified")
    return address.chat_id, message_id


async def _file(parameters: Parameters, name: str) -> Attachment:
    """Return the file to be sent; one that came with the call is kept for the worker."""
    given = parameters.file(name)
    is_photo = name == "photo"
    if not isinstance(given, str):
        if not given.upload.size:
            raise bad_request("file must be non-empty")
        if is_photo and given.upload.size > LARGEST_PHOTO:
            size = f"file of size {given.upload.size} bytes is too big for a photo"
            raise bad_request(f"{size}; the maximum size is {LARGEST_PHOTO} bytes")
        url = await given.upload.finish()
        return Attachment(name=_named(given.name, is_photo), url=url, as_document=not is_photo)
    if not _LINK.fullmatch(given):
        raise bad_request("wrong file identifier/HTTP URL specified")
    found = given.partition("?")[0].rpartition("/")[2][-255:]
    return Attachment(name=_named(found, is_photo), url=given, as_document=not is_photo)


def _named(name: str, is_photo: bool) -> str:
    name = name.replace("\\", "/").rpartition("/")[2][-255:]
    if is_photo and not name.lower().endswith(_PICTURES):
        return "photo.jpg"
    return name or "file"


async def _describe(
    bot: Bot,
    chat_id: int,
    message_id: int,
    text: MarkedText,
    keyboard: Keyboard | None,
    *,
    is_caption: bool = False,
) -> dict[str, Any]:
    """Describe a message of the bot's, and the person it was sent to."""
    person = await context().gateway.bots.people.get(bot.bot, chat_id) if chat_id > 0 else None
    chat = describe_chat(chat_id, person)
    return describe_message(bot, chat, message_id, text, keyboard, is_caption=is_caption)


# Any node can store a message, which the bot's node sends. The other methods need the bot's worker,
# or its folder for a file.
_ANYWHERE: Final = frozenset({"getme", "sendmessage"})
_METHODS: Final[Mapping[str, Method]] = {
    "getme": _get_me,
    "sendmessage": _send_message,
    "sendphoto": _send_photo,
    "senddocument": _send_document,
    "editmessagetext": _edit_message_text,
    "deletemessage": _delete_message,
}
