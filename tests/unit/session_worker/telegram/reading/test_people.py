"""Who is who, as far as Telegram tells."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import types

from session_worker.protocol.messages import Contact
from session_worker.telegram.errors import FloodWait, PeerUnknown
from session_worker.telegram.reading.people import People, contact_of, is_ignored


class Asked:
    """Answers questions for users, counts them."""

    def __init__(self, *users: Any) -> None:
        self.users = users
        self.count = 0

    async def __call__(self, request: Any) -> list[Any]:
        self.count += 1
        if not self.users:
            raise PeerUnknown("nobody")
        return list(self.users)


def test_a_contact_has_all_that_is_visible() -> None:
    """Names, user name, phone, photo come from the user."""
    photo = types.UserProfilePhoto(77, 2)
    user = types.User(7, first_name="A\x00nna", last_name="B", phone="38044", photo=photo)
    user.usernames = [types.Username("old"), types.Username("anna", active=True)]

    assert contact_of(user) == Contact(
        peer_id=7, first_name="Anna", last_name="B", username="anna", phone="38044", photo_id=77
    )


@pytest.mark.parametrize(
    ("contact", "ignored"),
    [
        (Contact(peer_id=1), True),
        (Contact(peer_id=777000), True),
        (Contact(peer_id=5, username="Planfix_Bot"), True),
        (Contact(peer_id=5, username="other_bot"), False),
        (Contact(peer_id=5), False),
    ],
)
def test_some_chats_are_nobodys_business(contact: Contact, ignored: bool) -> None:
    """Saved Messages, Telegram itself, Planfix's bot are ignored."""
    assert is_ignored(contact, me=1) is ignored


async def test_who_is_known_is_not_asked_for() -> None:
    """Telegram is asked once, again only after a change."""
    ask = Asked(types.User(7, first_name="Anna"))
    people = People(ask)

    first, second = await people.contact(7), await people.contact(7)

    assert first == second == Contact(peer_id=7, first_name="Anna")
    assert ask.count == 1
    people.forget(7)
    await people.contact(7)
    assert ask.count == 2


async def test_a_shortened_user_hides_nothing_known() -> None:
    """What a short form leaves out stays as it was."""
    people = People(Asked())
    people.learn([types.User(7, first_name="Anna", phone="38044", username="anna")])

    people.learn([types.User(7, first_name="Ann", min=True)])

    contact = await people.contact(7)
    assert (contact.first_name, contact.phone, contact.username) == ("Ann", "38044", "anna")


async def test_somebody_hidden_is_only_an_id() -> None:
    """A message of someone whom Telegram does not show is no reason to fail."""
    assert await People(Asked()).contact(9) == Contact(peer_id=9)


class Flooded:
    """Wants a pause before it answers."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self.count = 0

    async def __call__(self, request: Any) -> list[Any]:
        self.count += 1
        raise FloodWait(self.seconds, "FLOOD_WAIT")


@pytest.mark.parametrize("seconds", [5 * 3600.0, None])
async def test_messages_wait_no_hours_for_names(seconds: float | None) -> None:
    """If Telegram wants a long pause, nobody is asked for until it is over, and only ids are known."""
    ask = Flooded(seconds)
    people = People(ask)
    people.learn([types.User(8, first_name="Ivan")])

    contacts = [await people.contact_at_once(user) for user in (7, 7, 9, 8)]

    assert contacts[:3] == [Contact(peer_id=7), Contact(peer_id=7), Contact(peer_id=9)]
    assert contacts[3].first_name == "Ivan"
    assert ask.count == 1
    with pytest.raises(FloodWait):
        await people.contact(7)  # which chats go to Planfix is not decided without names


async def test_a_short_pause_is_kept() -> None:
    """Names are worth waiting for some seconds."""
    with pytest.raises(FloodWait):
        await People(Flooded(5.0)).contact_at_once(7)
