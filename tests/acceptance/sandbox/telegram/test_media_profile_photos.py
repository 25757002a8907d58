"""Profile photos, as their owner changes them, as others see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telethon import functions
from telethon.tl import types

from tests.acceptance.sandbox.telegram.pictures import make_png, named

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


async def test_profile_photos(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Others see the newest profile photo, can load it, list all of them."""
    hers, his = await client_of(alice), await client_of(bob)
    photos = [make_png(200 + n, 200) for n in range(2)]
    assert (await his.get_entity("alice")).photo is None

    for photo in photos:
        file = await hers.upload_file(named("me.png", photo))
        await hers(functions.photos.UploadProfilePhotoRequest(file=file))

    seen = await his.get_entity("alice")
    listed = await his.get_profile_photos(seen)
    assert await his.download_profile_photo(seen, bytes) == photos[1]
    assert [await his.download_media(photo, bytes) for photo in listed] == photos[::-1]


async def test_profile_photo_can_change_back(client_of: ClientOf, alice: Account) -> None:
    """An older photo can be put in front again, or taken away."""
    hers = await client_of(alice)
    photos = [make_png(200 + n, 200) for n in range(2)]
    for photo in photos:
        file = await hers.upload_file(named("me.png", photo))
        await hers(functions.photos.UploadProfilePhotoRequest(file=file))
    newest, oldest = await hers.get_profile_photos("me")

    known = types.InputPhoto(oldest.id, oldest.access_hash, oldest.file_reference)
    await hers(functions.photos.UpdateProfilePhotoRequest(known))
    in_front = await hers.download_profile_photo(await hers.get_me(), bytes)
    await hers(functions.photos.DeletePhotosRequest([known]))
    left = await hers.get_profile_photos("me")
    await hers(functions.photos.UpdateProfilePhotoRequest(types.InputPhotoEmpty()))

    assert in_front == photos[0]
    assert [photo.id for photo in left] == [newest.id]
    assert (await hers.get_me()).photo is None
