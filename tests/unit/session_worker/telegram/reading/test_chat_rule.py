"""Which chats go to Planfix."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import types

from session_worker.protocol.chats import ChatSelection, Mode
from session_worker.protocol.messages import Contact
from session_worker.telegram.reading.chat_rule import (
    AddressBook,
    Folder,
    folder_of,
    is_chosen,
    unknown_folders,
)

ANNA = Contact(peer_id=7, first_name="Anna", last_name="Bo", username="Anna_B", phone="380441")
STRANGER = Contact(peer_id=9)
BOOK = AddressBook(
    contacts=frozenset({7}), folders=(Folder("Work", included=frozenset({7})), Folder("Empty"))
)
SELECTIONS = st.builds(
    ChatSelection,
    mode=st.sampled_from([Mode.ONLY, Mode.EXCEPT]),
    people=st.lists(st.sampled_from(["7", "9", "@anna_b", "Anna Bo", "+380441", "x"])).map(tuple),
    folders=st.lists(st.sampled_from(["Work", "Empty"])).map(tuple),
    contacts=st.booleans(),
)


@pytest.mark.parametrize(
    "name", ["7", "anna_b", "@Anna_B", "anna  bo", "+38 044-1", "380441", "+38\u00a0044.1"], ids=str
)
def test_people_have_several_names(name: str) -> None:
    """A person is named by id, user name, full name or phone, however it is written."""
    only = ChatSelection(mode=Mode.ONLY, people=(name,))

    assert is_chosen(only, ANNA, AddressBook())
    assert not is_chosen(only.changed(mode=Mode.EXCEPT), ANNA, AddressBook())
    assert not is_chosen(only, STRANGER, AddressBook())


def test_letters_may_be_written_with_one_character_or_two() -> None:
    """A name means the same however a phone or a keyboard composes its letters."""
    name, title = "Сергій Їжак", "Сім'я й друзі"
    composed, apart = normalize("NFC", name), normalize("NFD", name)
    for ours, theirs in ((composed, apart), (apart, composed)):
        selection = ChatSelection(mode=Mode.EXCEPT, people=(ours,))
        assert not is_chosen(selection, Contact(peer_id=8, first_name=theirs), AddressBook())

    folders = ChatSelection(mode=Mode.ONLY, folders=(normalize("NFC", title),))
    assert unknown_folders(folders, AddressBook(folders=(Folder(normalize("NFD", title)),))) == ()


@given(SELECTIONS)
def test_except_leaves_out_what_only_lets_through(selection: ChatSelection) -> None:
    """For a person whom Telegram shows, the two modes are each other's opposite."""
    other = selection.changed(mode=Mode.ONLY if selection.mode is Mode.EXCEPT else Mode.EXCEPT)

    assert is_chosen(selection, ANNA, BOOK) is not is_chosen(other, ANNA, BOOK)


@given(SELECTIONS)
def test_everybody_goes_without_a_selection(selection: ChatSelection) -> None:
    """Nobody is left out in the mode `all`."""
    assert is_chosen(selection.changed(mode=Mode.ALL), STRANGER, BOOK)


def test_somebody_hidden_may_be_anybody() -> None:
    """While Telegram does not show somebody, a list of people to leave out may mean them."""
    names = ChatSelection(mode=Mode.EXCEPT, people=("@anna_b",))

    assert not is_chosen(names, STRANGER, BOOK)
    assert is_chosen(names.changed(people=(), contacts=True), STRANGER, BOOK)


def test_folder_that_is_missing_leaves_everybody_out() -> None:
    """A folder that was renamed may have held the private chats, so nothing goes until it is found."""
    selection = ChatSelection(mode=Mode.EXCEPT, folders=("family", "WORK"))

    assert unknown_folders(selection, BOOK) == ("family",)
    assert not is_chosen(selection, STRANGER, BOOK)
    found = replace(BOOK, folders=(*BOOK.folders, Folder("Family")))
    assert is_chosen(selection, STRANGER, found)


@pytest.mark.parametrize(
    ("kind", "peer_id", "is_contact", "is_bot"),
    [("contacts", 1, True, False), ("non_contacts", 2, False, False), ("bots", 3, False, True)],
)
def test_folder_takes_in_kinds(kind: str, peer_id: int, *, is_contact: bool, is_bot: bool) -> None:
    """A folder holds the kinds it takes in, whom it names, and nobody whom it excludes."""
    title = types.TextWithEntities("Work", [])
    named, excluded = types.InputPeerUser(50, 0), types.InputPeerUser(60, 0)
    shown = types.DialogFilter(2, title, [named], [], [excluded], **{kind: True})
    folder = folder_of(shown)

    assert folder is not None
    kinds = {"is_contact": is_contact, "is_bot": is_bot}
    assert folder.contains(peer_id, **kinds)
    assert folder.contains(50, is_contact=False, is_bot=False)
    assert not folder.contains(60, **kinds)
    assert not folder.contains(4, is_contact=not is_contact, is_bot=False)


def test_list_of_all_chats_is_no_folder() -> None:
    """Telegram lists the view of all chats among the folders."""
    assert folder_of(types.DialogFilterDefault()) is None
