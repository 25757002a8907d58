"""The calls below `/telegram`: the people on the other side of every number."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from quart import Blueprint, Response, current_app, request
from telethon.tl import types

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body, read_json
from sandbox.control.telegram.bodies import (
    Call,
    ContactEntry,
    Deletion,
    Edit,
    NewBot,
    Newcomer,
    NewFolder,
    ReactionGiven,
    Reading,
    Sending,
)
from sandbox.telegram import phone_owner
from sandbox.telegram.accounts.accounts import Contact
from sandbox.telegram.chats import buttons
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.methods.chats import folders
from sandbox.telegram.methods.people import contacts
from sandbox.telegram.records.folders import Folder

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.records.mailbox import Content, Message

Json = dict[str, Any]
# What a browser shows without running anything.
SHOWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "audio/ogg", "video/mp4"}

blueprint = Blueprint("telegram", __name__, url_prefix="/telegram")


def data_centre() -> DataCentre:
    return cast("DataCentre", current_app.extensions["data_centre"])


def describe(account: Account) -> Json:
    if account.bot:
        return {
            "user_id": account.id,
            "username": account.username,
            "first_name": account.first_name,
            "about": account.about,
            "bot": True,
            "bot_token": account.bot_token,
        }
    return {
        "user_id": account.id,
        "phone": account.phone,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "username": account.username,
        "about": account.about,
        "bot": False,
        "code": account.code,
    }


async def describe_message(owner_id: int, message: Message) -> Json:
    """Describe a message as the owner of a mailbox sees it, or as it is in that of a channel."""
    content, file = message.content, await phone_owner.view_file(data_centre(), message)
    return {
        "id": message.id,
        "out": message.out,
        "text": content.text,
        "file": file
        and {"name": file.name, "mime": file.mime} | {"size": file.size, "sha256": file.sha256},
        "date": int(content.date.timestamp()),
        "random_id": message.random_id,
        "grouped_id": content.grouped_id,
        "reply_to": content.reply_to and content.reply_to.copies.get(owner_id),
        "buttons": buttons.describe(content.reply_markup),
        "marks": [describe_mark(mark) for mark in content.entities],
        "silent": content.silent,
        "contact": describe_contact(content.media),
    }


def describe_contact(media: Any) -> Json | None:
    """Describe the contact card in a message, if it is one."""
    if not isinstance(media, types.MessageMediaContact):
        return None
    name = f"{media.first_name} {media.last_name}".strip()
    return {"phone": media.phone_number, "name": name, "user_id": media.user_id}


def describe_mark(entity: Any) -> Json:
    """Describe a TL entity: its kind, its place, and what else it has."""
    shown = {name: value for name, value in entity.to_dict().items() if value is not None}
    return shown | {"_": shown["_"].removeprefix("MessageEntity").lower()}


@blueprint.get("/accounts")
async def get_accounts() -> list[Json]:
    centre = data_centre()
    return [describe(a) for a in centre.accounts if a is not centre.accounts.service]


@blueprint.post("/accounts")
async def post_account() -> tuple[Json, int]:
    order = await read_json(Newcomer)
    if isinstance(order, NewBot):
        name = order.username.lstrip("@")
        bot = data_centre().accounts.add_bot(name, order.first_name or name)
        bot.last_name, bot.about = order.last_name, order.about
        return describe(bot), 201
    account = data_centre().add_account(
        order.phone,
        order.first_name,
        order.last_name,
        username=order.username,
        password=order.password,
    )
    account.phone_visible, account.about = order.phone_visible, order.about
    account.language = order.language
    return describe(account), 201


@blueprint.post("/messages")
async def post_message() -> tuple[Json, int]:
    order = await read_body(Sending)
    centre = data_centre()
    people = centre.account_of(order.sender), centre.account_of(order.recipient)
    _check_order(people, order.date)
    reply_to = _content_of(people[0], order.reply_to) if order.reply_to else None
    draft = Draft(order.text, reply_to=reply_to, date=order.date)
    if not order.files:
        return {"ids": [centre.message_actions.send(*people, draft).message.id]}, 201
    files = [file.on_phone() for file in order.files]
    ids = await phone_owner.send_files(centre, people, files, draft, voice=order.voice)
    return {"ids": ids}, 201


@blueprint.get("/messages")
async def get_messages() -> list[Json]:
    owner = data_centre().account_of(read_argument("of"))
    peer = data_centre().account_of(read_argument("with"))
    found = (owner.box.get(i) for i in list(owner.box.conversation(peer.id).ids))
    return [await describe_message(owner.id, m) for m in found if m]


@blueprint.patch("/messages")
async def patch_message() -> Json:
    order = await read_body(Edit)
    data_centre().message_actions.edit(
        data_centre().account_of(order.of), order.id, Draft(order.text)
    )
    return {}


@blueprint.delete("/messages")
async def delete_message() -> Json:
    order = await read_body(Deletion)
    owner = data_centre().account_of(order.of)
    if not data_centre().message_actions.delete(owner, [order.id], for_all=True):
        raise ControlError(404, "not_found", f"{order.of} has no message {order.id}")
    return {}


@blueprint.post("/calls")
async def post_call() -> tuple[Json, int]:
    order = await read_body(Call)
    caller, called = (data_centre().account_of(p) for p in (order.caller, order.called))
    return {"ids": [phone_owner.miss_call(data_centre(), caller, called, video=order.video)]}, 201


@blueprint.post("/read")
async def post_read() -> Json:
    order = await read_body(Reading)
    reader, peer = (data_centre().account_of(p) for p in (order.by, order.chat_with))
    data_centre().message_actions.read(reader, peer)
    return {}


@blueprint.post("/typing")
async def post_typing() -> Json:
    """Show that somebody is typing; the app that shows it forgets it after some seconds."""
    order = await read_body(Reading)
    writer, peer = (data_centre().account_of(p) for p in (order.by, order.chat_with))
    update = types.UpdateUserTyping(writer.id, types.SendMessageTypingAction())
    data_centre().update_push.push(peer, update, lasting=False)
    return {}


@blueprint.post("/reactions")
async def post_reaction() -> Json:
    order = await read_body(ReactionGiven)
    emojis = (types.ReactionEmoji(order.emoji),) if order.emoji else ()
    data_centre().message_actions.react(data_centre().account_of(order.by), order.id, emojis)
    return {}


@blueprint.put("/folders")
async def put_folder() -> Json:
    order = await read_body(NewFolder)
    owner = data_centre().account_of(order.of)
    held = (each.id for each in owner.folders.values() if each.title == order.title)
    folder_id = next(held, None) or folders.next_id(owner)
    kinds = {name for name in ("contacts", "non_contacts") if getattr(order, name)}
    people = tuple(data_centre().account_of(phone).id for phone in order.people)
    folder = Folder(folder_id, order.title, included=people, kinds=frozenset(kinds))
    folders.keep(data_centre(), owner, folder_id, folder)
    return {"id": folder_id}


@blueprint.put("/contacts")
async def put_contact() -> Json:
    order = await read_body(ContactEntry)
    owner, subject = (data_centre().account_of(p) for p in (order.of, order.contact))
    owner.contacts.pop(subject.id, None)
    if order.is_saved:
        entry = Contact(subject.first_name, subject.last_name, subject.phone)
        owner.contacts[subject.id] = entry
    contacts.announce(data_centre(), owner, subject)
    return {}


@blueprint.get("/file")
async def get_file() -> Response:
    """Answer the file of a message in the account's own view."""
    owner, message_id = data_centre().account_of(read_argument("of")), read_argument("id")
    message = owner.box.get(int(message_id)) if message_id.isdecimal() else None
    view = await phone_owner.view_file(data_centre(), message) if message else None
    if message is None or view is None:
        raise ControlError(404, "not_found", f"message {message_id} has no file")
    content = await to_thread(message.content.media.file.read, 0, view.size)
    how = "inline" if view.mime in SHOWN else "attachment"
    headers = {"Content-Disposition": f"{how}; filename*=UTF-8''{quote(view.name, safe='')}"}
    return Response(content, 200, headers, content_type=view.mime)


def read_argument(name: str) -> str:
    value: str | None = request.args.get(name)
    if not value:
        raise ControlError(400, "invalid_request", f"the query needs {name}=PHONE")
    # A plus sign that was not escaped arrives as a space.
    return value.strip()


def _check_order(people: tuple[Account, Account], date: datetime | None) -> None:
    """Refuse a message that would be older than the one before it, which Telegram never has."""
    sender, recipient = people
    last = sender.box.get(sender.box.conversation(recipient.id).top)
    if date is not None and last is not None and date < last.content.date:
        raise ControlError(400, "invalid_request", "the chat has a newer message already")


def _content_of(owner: Account, message_id: int) -> Content:
    message = owner.box.get(message_id)
    if message is None:
        raise ControlError(404, "not_found", f"{owner.phone} has no message {message_id}")
    return message.content
