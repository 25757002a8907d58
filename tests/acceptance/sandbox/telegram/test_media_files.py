"""Parts on their way in, pieces on their way out, references that expire."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, functions
from telethon.errors.rpcerrorlist import rpc_errors_dict
from telethon.tl import types

from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.hearing import address, hear
from tests.acceptance.sandbox.telegram.pictures import make_png, named, noise
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

PART = 128 << 10


async def send_parts(client: Any, to: Any, named_file: Any) -> Any:
    media = types.InputMediaUploadedDocument(named_file, "application/pdf", [])
    return await client(functions.messages.SendMediaRequest(to, media, ""))


async def save(client: Any, file_id: int, number: int, data: bytes) -> None:
    assert await client(functions.upload.SaveFilePartRequest(file_id, number, data))


async def fetch(client: Any, location: Any, offset: int = 0, limit: int = 4096) -> bytes:
    answer = await client(functions.upload.GetFileRequest(location, offset, limit))
    content: bytes = answer.bytes
    return content


def location_of(message: Any, **changed: Any) -> Any:
    document = message.media.document
    fields = {"id": document.id, "access_hash": document.access_hash}
    fields |= {"file_reference": document.file_reference, "thumb_size": ""}
    return types.InputDocumentFileLocation(**(fields | changed))


async def test_parts_may_come_in_any_order(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A file is whole whichever part came first, the checksum holds."""
    hers, content = await client_of(alice), noise(3 * PART + 100)

    for number in (3, 1, 0, 2):
        await save(hers, 5, number, content[number * PART : (number + 1) * PART])
    checksum = md5(content).hexdigest()
    answer = await send_parts(hers, address(alice, bob), types.InputFile(5, 4, "a.pdf", checksum))

    sent = answer.updates[1].message
    assert await hers.download_media(sent, bytes) == content


@pytest.mark.parametrize(
    ("parts", "checksum", "error"),
    [
        (0, "", "FILE_PARTS_INVALID"),
        (4001, "", "FILE_PARTS_INVALID"),
        (1, "", "FILE_PARTS_INVALID"),
        (2, "0" * 32, "MD5_CHECKSUM_INVALID"),
    ],
)
async def test_file_must_be_whole(
    client_of: ClientOf, alice: Account, bob: Account, parts: int, checksum: str, error: str
) -> None:
    """A file is refused unless count of parts, checksum are right."""
    hers = await client_of(alice)
    await save(hers, 5, 0, noise(PART))
    await save(hers, 5, 1, noise(9))
    file = types.InputFile(5, parts, "a.pdf", checksum)

    with pytest.raises(rpc_errors_dict[error]):
        await send_parts(hers, address(alice, bob), file)


async def test_missing_part_is_named(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A file with a hole is refused with the number of the first part that is missing."""
    hers = await client_of(alice)
    await save(hers, 5, 0, noise(PART))
    await save(hers, 5, 2, noise(9))

    with pytest.raises(errors.FilePartMissingError) as missing:
        await send_parts(hers, address(alice, bob), types.InputFile(5, 3, "a.pdf", ""))

    assert missing.value.which == 1


@pytest.mark.parametrize(
    ("sizes", "error"),
    [
        ({0: 0}, "FILE_PART_EMPTY"),
        ({0: (512 << 10) + 1}, "FILE_PART_TOO_BIG"),
        ({-1: 1024}, "FILE_PART_INVALID"),
        ({4000: 1024}, "FILE_PART_INVALID"),
        ({0: 1000, 1: 1000}, "FILE_PART_SIZE_INVALID"),
        ({0: 3 << 10, 1: 3 << 10}, "FILE_PART_SIZE_INVALID"),
        ({0: 1024, 1: 2048}, "FILE_PART_SIZE_CHANGED"),
        ({0: 2048, 1: 1024, 2: 2048}, "FILE_PART_SIZE_CHANGED"),
    ],
)
async def test_wrong_parts_are_refused(
    client_of: ClientOf, alice: Account, sizes: dict[int, int], error: str
) -> None:
    """All parts but the last have one size that divides 512 KB, a multiple of 1 KB."""
    hers = await client_of(alice)

    *good, (last, length) = sizes.items()

    for number, size in good:
        await save(hers, 5, number, noise(size))

    with pytest.raises(rpc_errors_dict[error]):
        await save(hers, 5, last, noise(length))


async def test_total_of_a_big_file_holds(client_of: ClientOf, alice: Account) -> None:
    """The parts of a big file fit the number it announced."""
    hers, save_big = await client_of(alice), functions.upload.SaveBigFilePartRequest

    with pytest.raises(errors.FilePartInvalidError):
        await hers(save_big(5, 2, 2, noise(PART)))
    with pytest.raises(errors.FilePartsInvalidError):
        await hers(save_big(5, 0, 4001, noise(PART)))
    with pytest.raises(errors.FilePartSizeInvalidError):
        await hers(save_big(5, 0, 2, noise(1000)))


async def test_upload_can_be_used_twice(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """An uploaded file may be sent several times; new parts under its id begin a new file."""
    hers, to = await client_of(alice), address(alice, bob)
    await save(hers, 5, 0, b"old")
    first = await send_parts(hers, to, types.InputFile(5, 1, "a.pdf", ""))
    second = await send_parts(hers, to, types.InputFile(5, 1, "a.pdf", ""))

    await save(hers, 5, 0, b"new!")
    third = await send_parts(hers, to, types.InputFile(5, 1, "a.pdf", ""))

    contents = [
        await hers.download_media(answer.updates[1].message, bytes)
        for answer in (first, second, third)
    ]
    assert contents == [b"old", b"old", b"new!"]


@pytest.mark.parametrize(
    ("offset", "limit", "precise", "error"),
    [
        (0, 0, False, "LIMIT_INVALID"),
        (0, 5000, False, "LIMIT_INVALID"),
        (0, 12288, False, "LIMIT_INVALID"),
        (0, 2 << 20, False, "LIMIT_INVALID"),
        ((1 << 20) - 4096, 8192, False, "LIMIT_INVALID"),
        (1024, 4096, False, "OFFSET_INVALID"),
        (-4096, 4096, False, "OFFSET_INVALID"),
        (1000, 1024, True, "OFFSET_INVALID"),
        (1024, 1000, True, "LIMIT_INVALID"),
    ],
)
async def test_wrong_pieces_are_refused(
    client_of: ClientOf, *, alice: Account, offset: int, limit: int, precise: bool, error: str
) -> None:
    """A piece begins, ends where Telegram allows it."""
    hers = await client_of(alice)
    location = types.InputDocumentFileLocation(1, 2, b"x", "")

    with pytest.raises(rpc_errors_dict[error]):
        await hers(functions.upload.GetFileRequest(location, offset, limit, precise=precise))


async def test_pieces_can_be_fetched_anywhere(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Any piece is the right one, behind the end there is nothing."""
    hers, content = await client_of(alice), noise(20_000)
    sent = await hers.send_file(address(alice, bob), named("a.pdf", content))
    location = location_of(sent)

    precise = functions.upload.GetFileRequest(location, 1024, 3072, precise=True)

    assert await fetch(hers, location, 8192, 4096) == content[8192:12288]
    assert await fetch(hers, location, 16384, 16384) == content[16384:]
    assert await fetch(hers, location, 1 << 20) == b""
    assert (await hers(precise)).bytes == content[1024:4096]


async def test_unknown_places_are_refused(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A file is found by id, with the hash, reference of the account that asks."""
    hers, his = await client_of(alice), await client_of(bob)
    sent = await hers.send_file(address(alice, bob), named("a.pdf", noise(99)))

    with pytest.raises(errors.FileIdInvalidError):
        await fetch(hers, location_of(sent, id=1))
    with pytest.raises(errors.FileIdInvalidError):
        await fetch(hers, location_of(sent, access_hash=1))
    with pytest.raises(errors.FileIdInvalidError):
        await fetch(his, location_of(sent))
    with pytest.raises(errors.FileReferenceEmptyError):
        await fetch(hers, location_of(sent, file_reference=b""))
    for made_up in (b"x", b"x" * 21):
        with pytest.raises(errors.FileReferenceInvalidError):
            await fetch(hers, location_of(sent, file_reference=made_up))
    with pytest.raises(errors.LocationInvalidError):
        await fetch(hers, types.InputTakeoutFileLocation())
    with pytest.raises(errors.LocationInvalidError):
        await fetch(hers, types.InputPeerPhotoFileLocation(address(alice, bob), 1))
    with pytest.raises(errors.LocationInvalidError):
        await fetch(hers, location_of(sent, thumb_size="q"))


async def test_reference_expires(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """An expired reference neither fetches nor sends; the message fetched anew has a good one."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his)
    await hers.send_file(address(alice, bob), named("p.png", make_png()))
    await eventually(lambda: heard, awaited="the photo")
    stale = heard[0].message

    data_centre.afflict(Kind.EXPIRED_REFERENCES, bob.phone)

    with pytest.raises(errors.FileReferenceExpiredError):
        await stale.download_media(bytes)
    with pytest.raises(errors.FileReferenceExpiredError):
        await his.send_file(address(bob, alice), stale.media)
    fresh = await his.get_messages(address(bob, alice), ids=stale.id)
    assert await fresh.download_media(bytes) == make_png()
    assert len(await hers.get_messages(address(alice, bob))) == 1


async def test_client_refreshes_documents_itself(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Telethon's own way out of an expired reference works for documents."""
    hers = await client_of(alice)
    sent = await hers.send_file(address(alice, bob), named("a.pdf", noise(999)))

    data_centre.expire_file_references()

    assert await sent.download_media(bytes) == noise(999)


@pytest.mark.parametrize(("width", "height"), [(1, 30), (9000, 1001), (0, 10)])
async def test_odd_photos_are_refused(
    client_of: ClientOf, alice: Account, bob: Account, width: int, height: int
) -> None:
    """A photo is neither huge, nor a thin line, nor nothing."""
    hers = await client_of(alice)
    photo = named("p.png", make_png(width, height))

    with pytest.raises(errors.PhotoInvalidDimensionsError):
        await hers.send_file(address(alice, bob), photo)
