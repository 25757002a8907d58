"""Clients of other code bases than Telethon rely on more of the protocol than Telethon does."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest
from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import TLObject, functions, types
from telethon.tl.core import GzipPacked

from sandbox.telegram.chats.message_actions import Draft
from tests.acceptance.sandbox.telegram.client_events import address

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ConnectRaw
    from tests.acceptance.sandbox.telegram.raw_client import RawClient

GET_STATE = functions.updates.GetStateRequest()
OLDER = 181  # a layer, with two of its constructors
OLDER_USER = bytes.fromhex("38445c21")
OLDER_MESSAGE = 0x94345242


def in_layer(layer: int, query: Any) -> Any:
    """Wrap the first request of a connection as clients do."""
    device = functions.InitConnectionRequest(1, "", "", "", "en", "", "en", query)
    return functions.InvokeWithLayerRequest(layer, device)


async def ask(raw: RawClient, request: Any) -> Any:
    return await raw.answer_to(raw.send(request))


async def test_client_of_an_older_layer_gets_its_own_objects(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """Answers and updates have the constructors of the layer that the client has named."""
    raw = await connect_raw(alice)

    answer = await ask(
        raw, in_layer(OLDER, functions.users.GetUsersRequest([types.InputUserSelf()]))
    )
    data_centre.message_actions.send(bob, alice, Draft("hello"))

    assert OLDER_USER in answer.body
    with pytest.raises(TypeNotFoundError) as unknown:  # the client of the test is Telethon's
        await raw.until(types.Updates)
    assert unknown.value.invalid_constructor_id == OLDER_MESSAGE


async def test_layer_is_remembered_for_the_key(connect_raw: ConnectRaw, alice: Account) -> None:
    """A later session of the same key need not name the layer again."""
    first = await connect_raw(alice)
    await ask(first, in_layer(OLDER, functions.help.GetConfigRequest()))
    first.hang_up()
    again = await connect_raw(like=first)
    again.session_id += 1

    answer = await ask(again, functions.users.GetUsersRequest([types.InputUserSelf()]))

    assert OLDER_USER in answer.body


async def test_other_compression_is_read(connect_raw: ConnectRaw, alice: Account) -> None:
    """What gzip_packed holds may have zlib's header instead of gzip's."""
    raw = await connect_raw(alice)
    packed = TLObject.serialize_bytes(zlib.compress(bytes(GET_STATE)))

    answer = await raw.answer_to(
        raw.send_body(GzipPacked.CONSTRUCTOR_ID.to_bytes(4, "little") + packed)
    )

    assert answer.error is None


async def test_peer_stands_for_a_user(
    connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """An InputPeerUser is taken where an InputUser is due, as many clients send it."""
    raw = await connect_raw(alice)

    answer = await ask(raw, functions.users.GetFullUserRequest(address(alice, bob)))

    with BinaryReader(answer.body) as reader:
        assert reader.tgread_object().full_user.id == bob.id


async def test_files_are_moved_beside_the_main_connection(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """A key may move files on more connections to the general address, and hears nothing there."""
    main = await connect_raw(alice)
    await ask(main, GET_STATE)
    beside = await connect_raw(like=main)
    beside.session_id += 1

    await ask(beside, in_layer(OLDER, functions.help.GetConfigRequest()))
    saved = await ask(beside, functions.upload.SaveFilePartRequest(7, 0, b"content"))
    state = await ask(main, GET_STATE)
    data_centre.update_push.push(alice, types.UpdateConfig())
    await main.until(types.UpdateShort)
    await ask(beside, functions.upload.SaveFilePartRequest(7, 0, b"content"))

    assert saved.error is state.error is None
    assert not any(isinstance(each, types.UpdateShort) for _, each in beside.received)


async def test_login_hears_of_updates_at_once(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account
) -> None:
    """A client that only logs in, and asks for nothing, is told what happens."""
    raw = await connect_raw()
    code = await ask(raw, functions.auth.SendCodeRequest(alice.phone, 1, "x", types.CodeSettings()))
    with BinaryReader(code.body) as reader:
        code_hash = reader.tgread_object().phone_code_hash
    await ask(raw, functions.auth.SignInRequest(alice.phone, code_hash, alice.code))

    data_centre.update_push.push(alice, types.UpdateConfig())

    await raw.until(types.UpdateShort)
