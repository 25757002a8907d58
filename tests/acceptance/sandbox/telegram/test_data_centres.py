"""Files that lie in another data centre, and addresses made for nothing but files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, functions
from telethon.extensions import BinaryReader
from telethon.tl import types

from sandbox.telegram import phone_owner
from sandbox.telegram.addresses import HOME_DC, OTHER_DC, Address
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from sandbox.telegram.phone_owner import OwnFile
from tests.acceptance.sandbox.telegram.client_events import address
from tests.acceptance.sandbox.telegram.pictures import make_png, noise
from tests.acceptance.sandbox.telegram.raw_client import RawClient
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.protocol.client_keys import ClientKey
    from tests.acceptance.sandbox.telegram.conftest import ClientOf, ConnectRaw

MEDIA = Address(HOME_DC, media_only=True)
PART = 512 << 10


@pytest.fixture
async def moving(data_centre: DataCentre) -> AsyncIterator[Any]:
    """Open connections of keys that exist, at any address."""
    opened: list[RawClient] = []

    async def open_at(where: Address, key: ClientKey) -> RawClient:
        raw = await RawClient.connect(data_centre, key, None, where)
        opened.append(raw)
        return raw

    yield open_at
    for raw in opened:
        raw.hang_up()


def location_of(message: Any) -> Any:
    document = message.media.document
    return types.InputDocumentFileLocation(
        document.id, document.access_hash, document.file_reference, thumb_size=""
    )


async def newest(client: Any, peer: Any) -> Any:
    return (await client.get_messages(peer, 1))[0]


async def ask(raw: RawClient, request: Any) -> Any:
    """Send a request; give its result, or the RpcError."""
    answer = await raw.answer_to(raw.send(request))
    if answer.error is not None:
        return answer.error
    with BinaryReader(answer.body) as reader:
        return request.read_result(reader)


@pytest.mark.parametrize(
    "file",
    [
        OwnFile("a.zip", "application/zip", noise(3 * PART + 9), OTHER_DC),
        OwnFile("a.png", "image/png", make_png(400, 300), OTHER_DC),
    ],
    ids=["document", "photo"],
)
async def test_telethon_fetches_a_file_from_the_other_data_centre(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account, file: OwnFile
) -> None:
    """A file that lies elsewhere is fetched there, under a login carried over."""
    his = await client_of(bob)
    await phone_owner.send_files(data_centre, (alice, bob), [file])

    content = await his.download_media(await newest(his, address(bob, alice)), bytes)

    assert content == file.content
    assert data_centre.count_connections(bob.phone).peak_per_key == 1
    assert bob.logins == 0


async def test_wrong_data_centre_names_the_right_one(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Asked for a file it has not got, a data centre says which one has it."""
    his = await client_of(bob)
    file = OwnFile("a.zip", "application/zip", b"content", OTHER_DC)
    await phone_owner.send_files(data_centre, (alice, bob), [file])
    message = await newest(his, address(bob, alice))

    with pytest.raises(errors.FileMigrateError) as moved:
        await his(functions.upload.GetFileRequest(location_of(message), 0, 4096))

    assert (message.media.document.dc_id, moved.value.new_dc) == (OTHER_DC, OTHER_DC)


async def test_addresses_are_announced(data_centre: DataCentre, client_of: ClientOf) -> None:
    """help.getConfig names a general and a media-only address of both data centres."""
    anybody = await client_of()

    config = await anybody(functions.help.GetConfigRequest())

    options = [(each.id, bool(each.media_only)) for each in config.dc_options]
    assert options == [(2, False), (2, True), (4, False), (4, True)]
    assert config.dc_options[0].port == data_centre.port
    assert len({each.port for each in config.dc_options}) == 4


async def test_key_moves_files_on_a_second_connection(
    data_centre: DataCentre, connect_raw: ConnectRaw, moving: Any, alice: Account, bob: Account
) -> None:
    """At the media-only address a key may speak beside its main connection, both ways."""
    main = await connect_raw(alice)
    assert isinstance(await ask(main, functions.updates.GetStateRequest()), types.updates.State)
    media = [await moving(MEDIA, main.key) for _ in range(2)]
    content = noise(PART + 7)

    for number, raw in enumerate(media):
        part = content[number * PART : (number + 1) * PART]
        assert await ask(raw, functions.upload.SaveFilePartRequest(7, number, part)) is True
    file = types.InputMediaUploadedDocument(types.InputFile(7, 2, "a.bin", ""), "a/b", [])
    sent = await ask(main, functions.messages.SendMediaRequest(address(alice, bob), file, "x"))
    location = location_of(sent.updates[1].message)
    pieces = [
        await ask(raw, functions.upload.GetFileRequest(location, offset, PART))
        for raw, offset in zip(media, (0, PART), strict=True)
    ]

    assert b"".join(piece.bytes for piece in pieces) == content
    assert main.key.refusal is None
    count = data_centre.count_connections(alice.phone)
    assert (count.open, count.peak_per_key) == (1, 1)


async def test_media_only_address_serves_nothing_else(
    data_centre: DataCentre, connect_raw: ConnectRaw, moving: Any, alice: Account, bob: Account
) -> None:
    """There no message can be sent, and no update is pushed."""
    main = await connect_raw(alice)
    await ask(main, functions.updates.GetStateRequest())
    media = await moving(MEDIA, main.key)

    refused = await ask(
        media, functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 9, 0)
    )
    await ask(media, functions.upload.SaveFilePartRequest(7, 0, b"x"))
    data_centre.message_actions.send(bob, alice, Draft("hello"))
    await main.until(types.Updates)
    config = await ask(media, functions.help.GetConfigRequest())

    assert refused.error_message == "METHOD_INVALID"
    assert config.this_dc == HOME_DC
    assert not any(isinstance(message, types.Updates) for _, message in media.received)


async def test_second_connection_at_the_main_address_still_burns(
    connect_raw: ConnectRaw, moving: Any, alice: Account
) -> None:
    """Two connections of a key at a general address end it, whatever is at the media-only one."""
    main = await connect_raw(alice)
    media = await moving(MEDIA, main.key)
    await ask(media, functions.help.GetConfigRequest())
    await ask(main, functions.updates.GetStateRequest())
    second = await connect_raw(like=main)
    second.session_id += 1

    answer = await ask(second, functions.updates.GetStateRequest())

    assert answer.error_message == "AUTH_KEY_DUPLICATED"


async def carried_over(centre: DataCentre, main: RawClient, moving: Any) -> RawClient:
    """Log a key of the other data centre in, as clients do."""
    exported = await ask(main, functions.auth.ExportAuthorizationRequest(OTHER_DC))
    other = await moving(Address(OTHER_DC), centre.keys_at(OTHER_DC).make())
    await ask(other, functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    return other  # type: ignore[no-any-return]  # moving is untyped


async def test_login_is_carried_over_once(
    data_centre: DataCentre, connect_raw: ConnectRaw, moving: Any, alice: Account
) -> None:
    """An exported authorization is good for one key, at the data centre it was made for."""
    main = await connect_raw(alice)
    exported = await ask(main, functions.auth.ExportAuthorizationRequest(OTHER_DC))
    request = functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes)
    keys = data_centre.keys_at(OTHER_DC)
    first, second = [await moving(Address(OTHER_DC), keys.make()) for _ in range(2)]

    answers = [await ask(raw, request) for raw in (first, second)]
    own = await ask(main, functions.auth.ExportAuthorizationRequest(HOME_DC))

    assert answers[0].user.id == alice.id
    assert answers[1].error_message == "AUTH_BYTES_INVALID"
    assert own.error_message == "DC_ID_INVALID"


async def test_accounts_live_in_their_own_data_centre(
    data_centre: DataCentre, connect_raw: ConnectRaw, moving: Any, alice: Account
) -> None:
    """What is no file is refused elsewhere with the number of the right data centre."""
    other = await carried_over(data_centre, await connect_raw(alice), moving)
    stranger = await moving(Address(OTHER_DC), data_centre.keys_at(OTHER_DC).make())

    state = await ask(other, functions.updates.GetStateRequest())
    code = await ask(
        stranger,
        functions.auth.SendCodeRequest(alice.phone, 1, "x", types.CodeSettings()),
    )

    assert (state.error_code, state.error_message) == (303, "USER_MIGRATE_2")
    assert (code.error_code, code.error_message) == (303, "PHONE_MIGRATE_2")


async def test_carried_login_ends_with_its_origin(
    data_centre: DataCentre, connect_raw: ConnectRaw, moving: Any, alice: Account, bob: Account
) -> None:
    """Whoever ends a login ends what was carried over from it as well."""
    other = await carried_over(data_centre, await connect_raw(alice), moving)
    location = types.InputDocumentFileLocation(1, 2, b"x", "")
    before = await ask(other, functions.upload.GetFileRequest(location, 0, 4096))

    data_centre.revoke(alice.phone)
    after = await ask(other, functions.upload.GetFileRequest(location, 0, 4096))

    assert before.error_message == "FILE_ID_INVALID"
    assert after.error_message == "AUTH_KEY_UNREGISTERED"


async def test_key_of_one_data_centre_is_unknown_in_the_other(
    connect_raw: ConnectRaw, moving: Any, alice: Account
) -> None:
    """Each data centre has keys of its own."""
    main = await connect_raw(alice)
    astray = await moving(Address(OTHER_DC), main.key)

    astray.send(functions.help.GetConfigRequest())

    assert await astray.is_hung_up_on()


async def test_one_data_centre_suffers_alone(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A line to one data centre may be cut while that to the other stays."""
    his = await client_of(bob)
    file = OwnFile("a.zip", "application/zip", b"content", OTHER_DC)
    await phone_owner.send_files(data_centre, (alice, bob), [file])
    await his.download_media(await newest(his, address(bob, alice)), bytes)
    lines = {each.address.dc_id: each for each in data_centre.connections}

    data_centre.afflict(Kind.CUT, bob.phone, dc_id=OTHER_DC)

    await eventually(lines[OTHER_DC].closed.is_set, awaited="the cut")
    assert lines[HOME_DC] in data_centre.connections
    assert (await his.get_me()).id == bob.id


async def test_login_is_carried_over_at_a_media_only_address(
    data_centre: DataCentre, connect_raw: ConnectRaw, moving: Any, alice: Account, bob: Account
) -> None:
    """Clients that know but the media-only address of another data centre log in there."""
    main = await connect_raw(bob)
    file = OwnFile("a.zip", "application/zip", b"content", OTHER_DC)
    await phone_owner.send_files(data_centre, (alice, bob), [file])
    history = functions.messages.GetHistoryRequest(address(bob, alice), 0, None, 0, 1, 0, 0, 0)
    message = (await ask(main, history)).messages[0]
    exported = await ask(main, functions.auth.ExportAuthorizationRequest(OTHER_DC))
    key = data_centre.keys_at(OTHER_DC).make()
    first, second = [await moving(Address(OTHER_DC, media_only=True), key) for _ in range(2)]

    await ask(first, functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    request = functions.upload.GetFileRequest(location_of(message), 0, 4096)
    pieces = [await ask(raw, request) for raw in (first, second)]

    assert [piece.bytes for piece in pieces] == [b"content"] * 2
