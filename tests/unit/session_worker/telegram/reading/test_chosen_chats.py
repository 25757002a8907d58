"""Who decides with which state of the account's folders and contacts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from session_worker.protocol.chats import ChatSelection, Mode
from session_worker.protocol.messages import Contact
from session_worker.telegram.reading.chosen_chats import ChosenChats
from session_worker.telegram.reading.people import People

if TYPE_CHECKING:
    from collections.abc import Sequence

ANNA = Contact(peer_id=7, first_name="Anna")
FAMILY = ChatSelection(mode=Mode.EXCEPT, folders=("Family",))


class Account:
    """An account with one folder, whose contacts take until they are let through."""

    connections = 1

    def __init__(self) -> None:
        self.people: list[Any] = []
        self.asked: list[str] = []
        self.asks_for_contacts = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def ask(self, request: Any) -> Any:
        self.asked.append(type(request).__name__)
        if isinstance(request, functions.messages.GetDialogFiltersRequest):
            title = types.TextWithEntities("Family", [])
            return types.messages.DialogFilters(
                [types.DialogFilter(2, title, [], list(self.people), [])]
            )
        self.asks_for_contacts.set()
        await self.may_answer.wait()
        return types.contacts.Contacts([], 0, [])

    async def until_online(self) -> None:
        pass

    def report_folders(self, missing: Sequence[str]) -> None:
        assert not missing


async def test_those_who_wait_for_folders_ask_once() -> None:
    """A backlog of many chats does not ask Telegram once for each."""
    account = Account()
    chosen = ChosenChats(FAMILY, account, People(account.ask))

    deciding = [asyncio.create_task(chosen.until_decided(7, ANNA)) for _ in range(50)]
    await account.asks_for_contacts.wait()
    account.may_answer.set()

    assert set(await asyncio.gather(*deciding)) == {True}
    assert len(account.asked) == 2


async def test_folder_that_changes_while_it_is_read_is_read_again() -> None:
    """A person who is made private in that moment is private at once."""
    account = Account()
    chosen = ChosenChats(FAMILY, account, People(account.ask))

    deciding = asyncio.create_task(chosen.until_decided(7, ANNA))
    await account.asks_for_contacts.wait()
    account.people = [types.InputPeerUser(7, 77)]
    chosen.remember(types.UpdateDialogFilter(2))
    account.may_answer.set()

    assert await deciding is False
