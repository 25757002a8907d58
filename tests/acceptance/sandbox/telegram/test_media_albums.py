"""Albums, with forwards of what somebody received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, events, functions, utils
from telethon.tl import types

from tests.acceptance.sandbox.telegram.hearing import address, hear
from tests.acceptance.sandbox.telegram.pictures import make_png, named, noise
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


async def upload(client: Any, to: Any, content: bytes) -> Any:
    """Make a photo known at Telegram, ready for an album."""
    file = await client.upload_file(named("p.png", content))
    media = types.InputMediaUploadedPhoto(file)
    known = await client(functions.messages.UploadMediaRequest(to, media))
    return utils.get_input_media(known.photo)


def one(media: Any, random_id: int, text: str = "") -> Any:
    return types.InputSingleMedia(media, text, random_id=random_id)


async def test_album_arrives_as_one(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """The parts of an album share a group, keep their order, captions, bytes."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his, events.Album())
    photos = [make_png(60 + n, 60) for n in range(3)]

    files = [named("p.png", photo) for photo in photos]
    sent = await hers.send_file(address(alice, bob), files, caption=["first", "", "third"])

    await eventually(lambda: heard, awaited="the album")
    received = heard[0].messages
    assert [m.raw_text for m in received] == ["first", "", "third"]
    assert len({m.grouped_id for m in (*sent, *received)}) == 1
    assert [await m.download_media(bytes) for m in received] == photos


async def test_documents_make_an_album_too(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Files may be grouped, but not with photos."""
    hers, to = await client_of(alice), address(alice, bob)
    documents = [named(f"{n}.pdf", noise(99, n)) for n in range(2)]

    sent = await hers.send_file(to, documents)

    assert sent[0].grouped_id == sent[1].grouped_id is not None
    with pytest.raises(errors.MediaGroupedInvalidError):
        await hers.send_file(to, [named("a.pdf", noise(99)), named("p.png", make_png())])


async def test_repeated_album_sends_once(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """An album that is sent again, or again with more, adds only what is new."""
    hers, to = await client_of(alice), address(alice, bob)
    media = [await upload(hers, to, make_png(60 + n, 60)) for n in range(3)]
    request = functions.messages.SendMultiMediaRequest
    first = await hers(request(to, [one(media[0], 1), one(media[1], 2)]))

    second = await hers(request(to, [one(media[0], 1), one(media[1], 2)]))
    third = await hers(request(to, [one(m, n + 1) for n, m in enumerate(media)]))

    assert [u.id for u in second.updates[:2]] == [u.id for u in first.updates[:2]]
    assert [u.id for u in third.updates[:2]] == [u.id for u in first.updates[:2]]
    assert len(alice.box) == len(bob.box) == 3
    assert len({message.content.grouped_id for message in bob.box}) == 1


async def test_impossible_albums_are_refused(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Nothing of an album is sent when a part of it can't be."""
    hers, to = await client_of(alice), address(alice, bob)
    good = await upload(hers, to, make_png())
    unknown = types.InputMediaPhoto(types.InputPhoto(1, 2, b"x"))
    raw = types.InputMediaUploadedPhoto(await hers.upload_file(named("p.png", make_png())))
    request = functions.messages.SendMultiMediaRequest

    with pytest.raises(errors.MultiMediaTooLongError):
        await hers(request(to, [one(good, n + 1) for n in range(11)]))
    with pytest.raises(errors.MediaInvalidError):
        await hers(request(to, [one(good, 1), one(raw, 2)]))
    with pytest.raises(errors.MediaEmptyError):
        await hers(request(to, [one(good, 1), one(unknown, 2)]))
    with pytest.raises(errors.MediaEmptyError):
        await hers(request(to, []))
    with pytest.raises(errors.MediaCaptionTooLongError):
        await hers(request(to, [one(good, 1, "x" * 1025)]))

    assert len(alice.box) == 0


async def test_forward_names_its_author(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A forward tells who wrote it when; forwarding that again does not change it."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his)
    sent = await hers.send_file(address(alice, bob), named("p.pdf", noise(99)), caption="see")
    await eventually(lambda: heard, awaited="the file")

    forwarded = await heard[0].message.forward_to(types.InputPeerSelf())
    again = await his.forward_messages(address(bob, alice), forwarded, types.InputPeerSelf())

    for message in (forwarded, again):
        assert (message.fwd_from.from_id.user_id, message.fwd_from.date) == (alice.id, sent.date)
        assert (message.raw_text, message.file.name) == ("see", "p.pdf")


async def test_forward_of_a_shy_author(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """Who hides in forwards is named without a link."""
    hers, his = await client_of(alice), await client_of(bob)
    nobody = [types.InputPrivacyValueDisallowAll()]
    key = types.InputPrivacyKeyForwards()
    await hers(functions.account.SetPrivacyRequest(key, nobody))
    await hers.send_message(address(alice, bob), "psst")
    (received,) = await his.get_messages(address(bob, alice))

    forwarded = await received.forward_to(types.InputPeerSelf())

    assert (forwarded.fwd_from.from_id, forwarded.fwd_from.from_name) == (None, "Alice")


async def test_forward_may_drop_author_or_caption(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A copy names nobody; captions can be left behind."""
    hers, to = await client_of(alice), address(alice, bob)
    sent = await hers.send_file(to, named("p.pdf", noise(99)), caption="secret")

    copied = await hers.forward_messages(to, sent, to, drop_author=True)
    bare = await hers.forward_messages(to, sent, to, drop_media_captions=True)

    assert (copied.fwd_from, copied.raw_text) == (None, "secret")
    assert (bare.raw_text, bare.file.name) == ("", "p.pdf")


async def test_forwarded_album_stays_one(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """The parts of a forwarded album are grouped anew; a repeat changes nothing."""
    hers, to = await client_of(alice), address(alice, bob)
    sent = await hers.send_file(to, [named("p.png", make_png(60 + n, 60)) for n in range(2)])
    ids = [message.id for message in sent]
    request = functions.messages.ForwardMessagesRequest(to, ids, to, random_id=[5, 6])

    first, second = await hers(request), await hers(request)

    assert [u.id for u in first.updates[:2]] == [u.id for u in second.updates[:2]]
    groups = {message.content.grouped_id for message in bob.box}
    assert (len(bob.box), len(groups), None in groups) == (4, 2, False)


async def test_impossible_forwards_are_refused(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Only messages of the named chat are forwarded, each under an id of its own."""
    hers, to = await client_of(alice), address(alice, bob)
    sent = await hers.send_message(to, "here")
    request = functions.messages.ForwardMessagesRequest

    with pytest.raises(errors.MessageIdInvalidError):
        await hers(request(to, [sent.id + 9], to, random_id=[1]))
    with pytest.raises(errors.MessageIdInvalidError):
        await hers(request(types.InputPeerSelf(), [sent.id], to, random_id=[1]))
    with pytest.raises(errors.MessageIdsEmptyError):
        await hers(request(to, [], to, random_id=[]))
    with pytest.raises(errors.RandomIdInvalidError):
        await hers(request(to, [sent.id], to, random_id=[1, 2]))
