"""What people do in basic groups, whether a client's request or a test starts it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.clock import now
from sandbox.telegram.errors import RpcError
from sandbox.telegram.records.chats import Group, Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.telegram.accounts.accounts import Account, Accounts
    from sandbox.telegram.chats.message_actions import MessageActions, Posted
    from sandbox.telegram.protocol.client_session import Session

_FIRST_ID = 4_000_001


class BasicGroups:
    """Creates groups, adds and removes members; the messages are sent by MessageActions."""

    def __init__(self, accounts: Accounts, message_actions: MessageActions) -> None:
        self._accounts = accounts
        self._message_actions = message_actions
        self._ids = count(_FIRST_ID)

    def create(
        self,
        owner: Account,
        title: str,
        people: Sequence[Account],
        *,
        origin: Session | None = None,
    ) -> tuple[Group, Posted]:
        """Make a group; its first message announces it."""
        if not title.strip():
            raise RpcError("CHAT_TITLE_EMPTY")
        group = Group(-next(self._ids), title, owner.id, now())
        for account in (owner, *people):
            group.members[account.id] = Member(owner.id, group.date)
        self._accounts.chats[group.id] = group
        created = types.MessageActionChatCreate(title, list(group.members))
        return group, self._message_actions.send(owner, group, Draft(action=created), origin=origin)

    def add(
        self, group: Group, inviter: Account, newcomer: Account, *, origin: Session | None = None
    ) -> Posted:
        """Add a member, who receives the group's messages from now on."""
        if inviter.id not in group.members:
            raise RpcError("CHAT_WRITE_FORBIDDEN")
        if newcomer.id in group.members:
            raise RpcError("USER_ALREADY_PARTICIPANT")
        group.members[newcomer.id] = Member(inviter.id, now())
        added = types.MessageActionChatAddUser([newcomer.id])
        return self._message_actions.send(inviter, group, Draft(action=added), origin=origin)

    def remove(
        self, group: Group, remover: Account, leaver: Account, *, origin: Session | None = None
    ) -> Posted:
        """Remove a member, or leave; this is the last message that the member receives."""
        if leaver.id not in group.members:
            raise RpcError("USER_NOT_PARTICIPANT")
        if remover.id not in (leaver.id, group.creator_id):
            raise RpcError("CHAT_ADMIN_REQUIRED")
        removed = types.MessageActionChatDeleteUser(leaver.id)
        posted = self._message_actions.send(remover, group, Draft(action=removed), origin=origin)
        del group.members[leaver.id]
        return posted
