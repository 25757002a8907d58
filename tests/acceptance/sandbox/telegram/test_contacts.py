"""The address book as unmodified clients use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon import errors
from telethon.tl import functions, types

if TYPE_CHECKING:
    from telethon import TelegramClient

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


async def test_username_leads_to_the_person(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Whoever knows a username can address that person."""
    client = await client_of(alice)

    found = await client.get_entity("bobby")

    assert found.id == bob.id
    assert found.first_name == "Bob"


async def test_free_username_leads_nowhere(client_of: ClientOf, alice: Account) -> None:
    """A username that nobody has is refused as Telegram does."""
    client = await client_of(alice)

    with pytest.raises(errors.UsernameNotOccupiedError):
        await client(functions.contacts.ResolveUsernameRequest("nobody_here"))


async def test_phone_leads_to_a_person_who_allows_it(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A phone can be resolved only while its owner lets others find it."""
    client = await client_of(alice)
    found = await client(functions.contacts.ResolvePhoneRequest("+" + bob.phone))
    bob.phone_visible = False

    with pytest.raises(errors.PhoneNotOccupiedError):
        await client(functions.contacts.ResolvePhoneRequest(bob.phone))

    assert found.users[0].id == bob.id


async def test_imported_contact_is_kept_under_its_own_name(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """An imported contact shows the name and the phone it was imported with."""
    client = await client_of(alice)
    entry = types.InputPhoneContact(7, "+" + bob.phone, "Bobby", "Work")

    result = await client(functions.contacts.ImportContactsRequest([entry]))
    book = await client(functions.contacts.GetContactsRequest(hash=0))

    assert [i.client_id for i in result.imported] == [7]
    assert [(u.first_name, u.last_name, u.phone) for u in book.users] == [
        ("Bobby", "Work", bob.phone)
    ]


async def test_unknown_or_hidden_phone_imports_nobody(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Importing a phone that can't be found leaves the address book empty."""
    bob.phone_visible = False
    client = await client_of(alice)
    entries = [
        types.InputPhoneContact(1, "+" + bob.phone, "Hidden", ""),
        types.InputPhoneContact(2, "+380990000000", "Unknown", ""),
    ]

    result = await client(functions.contacts.ImportContactsRequest(entries))

    assert (result.imported, result.users) == ([], [])
    assert not alice.contacts


async def test_deleted_contact_is_forgotten(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A deleted contact leaves the address book."""
    client = await client_of(alice)
    person = await client.get_input_entity("bobby")
    await client(functions.contacts.AddContactRequest(person, "B", "", bob.phone))
    assert bob.id in alice.contacts

    await client(functions.contacts.DeleteContactsRequest([person]))

    assert bob.id not in alice.contacts


async def test_hidden_phone_is_shown_to_nobody_else(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A phone is seen by others only while its owner shows it."""
    client = await client_of(alice)
    shown = (await client(functions.contacts.ResolveUsernameRequest("bobby"))).users[0].phone
    other = await client_of(bob)
    rule = types.InputPrivacyValueDisallowAll()

    await other(functions.account.SetPrivacyRequest(types.InputPrivacyKeyPhoneNumber(), [rule]))
    hidden = (await client(functions.contacts.ResolveUsernameRequest("bobby"))).users[0].phone

    assert (shown, hidden) == (bob.phone, None)
    assert (await other.get_me()).phone == bob.phone


async def test_bio_is_shown_to_whom_its_owner_lets_see_it(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A bio belongs to the full profile; who hides it sees it still; it has its length."""
    client, other = await client_of(alice), await client_of(bob)
    bio, rule = "Beekeeper", types.InputPrivacyValueDisallowAll()

    async def seen(viewer: TelegramClient) -> str | None:
        full = await viewer(functions.users.GetFullUserRequest("bobby"))
        about: str | None = full.full_user.about
        return about

    assert await seen(client) is None
    await other(functions.account.UpdateProfileRequest(about=bio))
    assert (await seen(client), await seen(other)) == (bio, bio)
    await other(functions.account.SetPrivacyRequest(types.InputPrivacyKeyAbout(), [rule]))
    assert (await seen(client), await seen(other)) == (None, bio)
    with pytest.raises(errors.AboutTooLongError):
        await other(functions.account.UpdateProfileRequest(about="x" * 71))
    await other(functions.account.UpdateProfileRequest(first_name="Robert"))
    assert bob.about == bio


async def test_blocked_sender_is_refused(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Whoever was blocked can't write; the one who blocked has to unblock first."""
    writer, blocker = await client_of(alice), await client_of(bob)
    await blocker(functions.contacts.BlockRequest(await blocker.get_input_entity("alice")))

    with pytest.raises(errors.UserIsBlockedError):
        await writer.send_message("bobby", "hello")
    with pytest.raises(errors.YouBlockedUserError):
        await blocker.send_message("alice", "hello")
    await blocker(functions.contacts.UnblockRequest(await blocker.get_input_entity("alice")))

    assert (await writer.send_message("bobby", "again")).out


async def test_search_finds_people_by_a_part_of_the_name(
    client_of: ClientOf, alice: Account, bob: Account, data_centre: DataCentre
) -> None:
    """A part of a name or username finds its owners, too short a part is refused."""
    client = await client_of(alice)

    found = await client(functions.contacts.SearchRequest("bobb", limit=10))

    assert [u.id for u in found.users] == [bob.id]
    with pytest.raises(errors.QueryTooShortError):
        await client(functions.contacts.SearchRequest("b", limit=10))


async def test_profile_changes_are_seen_by_others(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A new name and username are what others get to see."""
    owner, viewer = await client_of(bob), await client_of(alice)

    await owner(functions.account.UpdateProfileRequest(first_name="Robert", last_name="B"))
    await owner(functions.account.UpdateUsernameRequest("robert_b"))
    found = await viewer.get_entity("robert_b")

    assert (found.id, found.first_name, found.last_name) == (bob.id, "Robert", "B")
    with pytest.raises(errors.UsernameOccupiedError):
        await viewer(functions.account.UpdateUsernameRequest("robert_b"))
