"""The calls below `/telegram/groups`: chats that a number is a member of."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from quart import Blueprint

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.control.telegram.bodies import Phone
from sandbox.control.telegram.calls import data_centre, describe_message
from sandbox.order import Order
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.records.chats import Channel, Group

Json = dict[str, Any]

blueprint = Blueprint("groups", __name__, url_prefix="/telegram/groups")


class NewGroup(Order):
    """A request to create a group or a channel with people in it."""

    kind: Literal["group", "channel", "supergroup"]
    title: Annotated[str, Field(min_length=1, max_length=128, pattern=r"\S")]
    owner: Phone
    members: tuple[Phone, ...] = ()
    topics: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = ()

    @model_validator(mode="after")
    def topics_need_a_supergroup(self) -> Self:
        if self.topics and self.kind != "supergroup":
            raise ValueError("only a supergroup has topics")
        return self


class Post(Order):
    """A message that a member writes to all the others."""

    sender: Annotated[Phone, Field(alias="from")]
    text: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"\S")]


@blueprint.post("")
async def post_group() -> tuple[Json, int]:
    order = await read_body(NewGroup)
    centre = data_centre()
    owner = centre.account_of(order.owner)
    people = [centre.account_of(phone) for phone in order.members]
    if order.kind == "group":
        group, _ = centre.groups.create(owner, order.title, people)
        return {"chat_id": group.id}, 201
    channel, _ = centre.channels.create(owner, order.title, broadcast=order.kind == "channel")
    centre.channels.invite(channel, owner, people)
    for title in order.topics:
        centre.channels.open_topic(channel, owner, title)
    topics = {title: message_id for message_id, title in channel.topics.items()}
    return {"chat_id": channel.id, "topics": topics}, 201


@blueprint.get("/<int(signed=True):chat_id>/messages")
async def get_messages(chat_id: int) -> list[Json]:
    """List the messages of a group, as its owner sees them; a topic is the id of its first message."""
    chats = data_centre().accounts.chats
    chat = chats.get(chat_id)
    if chat is None:
        raise ControlError(404, "not_found", f"there is no chat {chat_id}")
    owner_id = chat.id if isinstance(chat, Channel) else chat.creator_id
    box = chat.box if isinstance(chat, Channel) else data_centre().accounts[owner_id].box
    found = [m for i in list(box.conversation(chat.id).ids) if (m := box.get(i))]
    extras = ({"from": m.content.sender_id, "topic": m.content.topic} for m in found)
    return [
        await describe_message(owner_id, m) | more for m, more in zip(found, extras, strict=True)
    ]


@blueprint.post("/<int(signed=True):chat_id>/messages")
async def post_message(chat_id: int) -> tuple[Json, int]:
    order = await read_body(Post)
    centre = data_centre()
    author, draft = centre.account_of(order.sender), Draft(order.text)
    match centre.accounts.chats.get(chat_id):
        case Group() as group:
            posted = centre.message_actions.send(author, group, draft)
        case Channel() as channel:
            posted = centre.channels.post(channel, author, draft)
        case _:
            raise ControlError(404, "not_found", f"there is no chat {chat_id}")
    return {"id": posted.message.id}, 201
