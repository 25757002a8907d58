"""Every way into an account, from the key exchange to the password."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, functions
from telethon.network import connection as transports
from telethon.sessions import StringSession
from telethon.tl import types

from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf


async def sign_in(client: Any, account: Account) -> Any:
    sent = await client.send_code_request(account.phone)
    return await client.sign_in(account.phone, account.code, phone_code_hash=sent.phone_code_hash)


@pytest.mark.parametrize(
    "transport",
    [
        transports.ConnectionTcpFull,
        transports.ConnectionTcpAbridged,
        transports.ConnectionTcpIntermediate,
        transports.ConnectionTcpObfuscated,
    ],
)
async def test_key_is_made_over_each_transport(
    client_of: ClientOf, alice: Account, transport: type
) -> None:
    """A client makes its key, logs in by code over every transport Telethon has."""
    client = await client_of(connection=transport)

    me = await sign_in(client, alice)

    assert (me.id, me.phone) == (alice.id, alice.phone)


async def test_wrong_code_is_refused(client_of: ClientOf, alice: Account) -> None:
    """A wrong code does not log in; the right one after it does."""
    client = await client_of()
    sent = await client.send_code_request(alice.phone)

    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(alice.phone, "0", phone_code_hash=sent.phone_code_hash)

    assert await client.sign_in(alice.phone, alice.code, phone_code_hash=sent.phone_code_hash)


async def test_code_expires_after_five_wrong_ones(client_of: ClientOf, alice: Account) -> None:
    """Guessing is cut short: after five wrong codes even the right one has expired."""
    client = await client_of()
    sent = await client.send_code_request(alice.phone)
    for _ in range(5):
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(alice.phone, "0", phone_code_hash=sent.phone_code_hash)

    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(alice.phone, alice.code, phone_code_hash=sent.phone_code_hash)


async def test_resent_code_replaces_the_first(client_of: ClientOf, alice: Account) -> None:
    """After a resend only the new hash counts."""
    client = await client_of()
    first = await client.send_code_request(alice.phone)

    second = await client(functions.auth.ResendCodeRequest(alice.phone, first.phone_code_hash))

    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(alice.phone, alice.code, phone_code_hash=first.phone_code_hash)
    assert await client.sign_in(alice.phone, alice.code, phone_code_hash=second.phone_code_hash)


async def test_unknown_phone_signs_up(data_centre: DataCentre, client_of: ClientOf) -> None:
    """A phone nobody has may sign up, but only with the code it was sent."""
    codes: list[str] = []
    data_centre.announce_code = codes.append
    client, phone = await client_of(), "380671234567"
    code_hash = (await client.send_code_request(phone)).phone_code_hash
    sign_up = functions.auth.SignUpRequest(phone, code_hash, "Olena", "K")

    with pytest.raises(errors.PhoneCodeInvalidError):
        await client(sign_up)
    proof = await client(functions.auth.SignInRequest(phone, code_hash, codes[0]))
    authorization = await client(sign_up)

    assert isinstance(proof, types.auth.AuthorizationSignUpRequired)
    assert authorization.user.first_name == "Olena"
    assert (await client.get_me()).phone == phone


async def test_bad_phone_is_refused(client_of: ClientOf) -> None:
    """What is no phone number gets no code."""
    client = await client_of()

    with pytest.raises(errors.PhoneNumberInvalidError):
        await client.send_code_request("123")


async def test_password_is_asked_for(client_of: ClientOf, alice: Account) -> None:
    """With a password set, a code alone is not enough; a wrong password is refused."""
    owner = await client_of(alice)
    await owner.edit_2fa(new_password="secret", hint="the usual")
    client = await client_of()

    with pytest.raises(errors.SessionPasswordNeededError):
        await sign_in(client, alice)
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="wrong")
    me = await client.sign_in(password="secret")

    assert me.id == alice.id
    assert (await client(functions.account.GetPasswordRequest())).hint == "the usual"


async def test_password_is_changed_only_by_who_knows_it(
    data_centre: DataCentre, client_of: ClientOf
) -> None:
    """Changing or removing a password takes the current one."""
    carol = data_centre.add_account("380501110003", "Carol", password="old")
    client = await client_of(carol)

    with pytest.raises(errors.PasswordHashInvalidError):
        await client.edit_2fa(current_password="wrong", new_password="new")
    await client.edit_2fa(current_password="old", new_password="new")
    await client.edit_2fa(current_password="new")

    assert carol.password is None


@pytest.mark.parametrize("password", [None, "secret"])
async def test_qr_code_logs_in(client_of: ClientOf, alice: Account, password: str | None) -> None:
    """The owner scans the code on another device; a password is still asked for."""
    owner, client = await client_of(alice), await client_of()
    if password:
        await owner.edit_2fa(new_password=password)
    qr = await client.qr_login()
    waiting = asyncio.create_task(qr.wait(PATIENCE))
    await eventually(client.list_event_handlers, awaited="the wait for the scan")

    shown = await owner(functions.auth.AcceptLoginTokenRequest(qr.token))

    if password:
        with pytest.raises(errors.SessionPasswordNeededError):
            await waiting
        await client.sign_in(password=password)
    else:
        assert (await waiting).id == alice.id
    assert shown.device_model
    assert (await client.get_me()).id == alice.id


async def test_qr_token_counts_once(client_of: ClientOf, alice: Account) -> None:
    """A token that was scanned, or never given out, lets nobody in."""
    owner, client = await client_of(alice), await client_of()
    qr = await client.qr_login()
    await owner(functions.auth.AcceptLoginTokenRequest(qr.token))

    with pytest.raises(errors.AuthTokenAlreadyAcceptedError):
        await owner(functions.auth.AcceptLoginTokenRequest(qr.token))
    with pytest.raises(errors.AuthTokenInvalidError):
        await owner(functions.auth.AcceptLoginTokenRequest(b"made up"))


async def test_bot_logs_in_by_token(data_centre: DataCentre, client_of: ClientOf) -> None:
    """A bot has a token; a wrong one is refused."""
    bot = data_centre.accounts.add_bot("robot", "Robot")
    client = await client_of()

    with pytest.raises(errors.AccessTokenInvalidError):
        await client.sign_in(bot_token=f"{bot.id}:wrong")
    me = await client.sign_in(bot_token=bot.bot_token)

    assert me.bot
    assert me.id == bot.id


async def test_login_code_reaches_other_devices(client_of: ClientOf, alice: Account) -> None:
    """Telegram's service account writes the code to sessions that are logged in."""
    owner, client = await client_of(alice), await client_of()
    texts: list[tuple[int, str]] = []
    owner.add_event_handler(lambda event: _note(texts, event))
    await owner.get_me()

    await client.send_code_request(alice.phone)

    sender, text = (await eventually(lambda: texts, awaited="the code"))[0]
    assert sender == 777000
    assert alice.code in text


async def _note(texts: list[tuple[int, str]], event: Any) -> None:
    if isinstance(event, types.UpdateNewMessage):
        texts.append((event.message.peer_id.user_id, event.message.message))


async def test_logins_are_listed_then_revoked(client_of: ClientOf, alice: Account) -> None:
    """The owner sees every login, ends one; that one is told 401 on an open line."""
    here, there = await client_of(alice), await client_of(alice, device_model="Other phone")
    listed = (await here(functions.account.GetAuthorizationsRequest())).authorizations
    other = next(a for a in listed if not a.current)

    await here(functions.account.ResetAuthorizationRequest(other.hash))

    assert [a.hash for a in listed if a.current] == [0]
    assert other.device_model == "Other phone"
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await there(functions.updates.GetStateRequest())
    assert there.is_connected()


async def test_log_out_ends_this_login_only(client_of: ClientOf, alice: Account) -> None:
    """Who logs out is out; the other session stays."""
    here, there = await client_of(alice), await client_of(alice)

    assert await here.log_out()

    assert len((await there(functions.account.GetAuthorizationsRequest())).authorizations) == 1


async def test_same_key_logs_in_again(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """After a revocation a fresh login on the same key works."""
    client = await client_of(alice)
    key = StringSession(client.session.save()).auth_key
    data_centre.revoke(alice.phone)

    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(functions.updates.GetStateRequest())
    await sign_in(client, alice)

    assert (await client.get_me()).id == alice.id
    assert client.session.auth_key == key
