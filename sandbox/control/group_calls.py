"""The calls below `/telegram/groups`: chats that a number is a member of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from quart import Blueprint

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body
from sandbox.control.telegram_bodies import Order, Phone
from sandbox.control.telegram_calls import data_centre
from sandbox.telegram.chats.chats import Channel, Group
from sandbox.telegram.chats.message_actions import Draft

Json = dict[str, Any]

blueprint = Blueprint("groups", __name__, url_prefix="/telegram/groups")


class NewGroup(Order):
    """Somebody makes a group or a channel with people in it."""

    kind: Literal["group", "channel", "supergroup"]
    title: Annotated[str, Field(min_length=1, max_length=128, pattern=r"\S")]
    owner: Phone
    members: tuple[Phone, ...] = ()


class Post(Order):
    """Something that a member writes to all the others."""

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
    return {"chat_id": channel.id}, 201


@blueprint.post("/<int(signed=True):chat_id>/messages")
async def post_message(chat_id: int) -> tuple[Json, int]:
    order = await read_body(Post)
    centre = data_centre()
    author, draft = centre.account_of(order.sender), Draft(order.text)
    match centre.accounts.chats.get(chat_id):
        case Group() as group:
            posted = centre.post_office.send(author, group, draft)
        case Channel() as channel:
            posted = centre.channels.post(channel, author, draft)
        case _:
            raise ControlError(404, "not_found", f"there is no chat {chat_id}")
    return {"id": posted.message.id}, 201
