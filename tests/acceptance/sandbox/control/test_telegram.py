"""The control calls below `/telegram`, with what clients notice of them."""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient, errors, events
from telethon.sessions import StringSession
from telethon.tl import functions

from tests.acceptance.sandbox.control.conftest import ALICE, BOB
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from tests.acceptance.sandbox.control.conftest import Control

NOBODY = "380999999999"


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


async def test_new_account_gets_an_id_with_a_lasting_code(control: Control) -> None:
    """A new account is told its id and the login code it always gets."""
    made = await control.ask("POST", "/telegram/accounts", 201, phone="+380501", first_name="C")

    listed = await control.ask("GET", "/telegram/accounts")

    assert made["phone"] == "380501"
    assert len(made["code"]) == 5
    assert [a["user_id"] for a in listed][-1] == made["user_id"]


async def test_null_stands_for_what_is_left_out(control: Control) -> None:
    """A field that need not be given may be null, as many libraries write it."""
    nulls = dict.fromkeys(("last_name", "username", "password", "about"))
    await control.ask("POST", "/telegram/accounts", 201, phone="380502", first_name="D", **nulls)
    message = {"from": ALICE, "to": "380502", "text": "hello", "files": None, "reply_to": None}

    sent = await control.ask("POST", "/telegram/messages", 201, **message, voice=None)

    assert len(sent["ids"]) == 1


async def test_code_of_an_account_logs_in(control: Control) -> None:
    """The code told at creation is the one that a login needs, announced when it is sent."""
    string = (await control.ask("POST", "/telegram/sessions", 201, phone=ALICE))["string_session"]
    listed = await control.ask("GET", "/telegram/accounts")
    code = next(a["code"] for a in listed if a["phone"] == BOB)
    session = StringSession()
    known = StringSession(string)
    session.set_dc(known.dc_id, known.server_address, known.port)
    client: Any = TelegramClient(session, 1, "x", timeout=PATIENCE)
    await client.connect()

    await client.send_code_request("+" + BOB)
    me = await client.sign_in(BOB, code)
    count = await control.ask("GET", f"/telegram/connections?phone={BOB}")
    await client.disconnect()

    assert me.first_name == "Bob"
    assert control.codes == [code]
    assert count == {"open": 1, "peak_per_key": 1, "logins": 1}


async def test_owner_scans_a_qr_code(control: Control) -> None:
    """A QR login is accepted by the owner of another account's phone."""
    waiting: Any = await control.client_of(ALICE)
    session = StringSession()
    session.set_dc(2, waiting.session.server_address, waiting.session.port)
    client: Any = TelegramClient(session, 1, "x", timeout=PATIENCE)
    await client.connect()
    qr = await client.qr_login()

    await control.ask("POST", "/telegram/qr", phone=BOB, url=qr.url)
    result = await client(functions.auth.ExportLoginTokenRequest(1, "x", []))
    await client.disconnect()

    assert result.authorization.user.first_name == "Bob"


async def test_wrong_qr_code_is_refused_in_words(control: Control) -> None:
    """A token that nobody waits with is told to be invalid."""
    url = "tg://login?token=" + urlsafe_b64encode(b"wrong").decode()

    answer = await control.ask("POST", "/telegram/qr", 400, phone=BOB, url=url)

    assert answer["detail"] == "AUTH_TOKEN_INVALID"


async def test_message_reaches_the_client_and_both_views(control: Control) -> None:
    """A person's message arrives at the other's client; each side sees it as its own."""
    client = await control.client_of(BOB)
    heard: list[str] = []

    async def keep(event: Any) -> None:
        heard.append(event.raw_text)

    client.add_event_handler(keep, events.NewMessage())
    async with client:
        await client.get_me()
        ids = await control.write(ALICE, BOB, text="hello")
        await eventually(lambda: heard == ["hello"], awaited="the message")

    seen = await control.chat(ALICE, BOB)
    assert [(m["id"], m["out"], m["text"], m["file"]) for m in seen] == [
        (ids[0], True, "hello", None)
    ]
    assert [m["out"] for m in await control.chat(BOB, ALICE)] == [False]


async def test_random_id_of_a_client_is_shown(control: Control) -> None:
    """The random_id that a client sent with is told in its own view."""
    async with await control.client_of(BOB) as client:
        person = await client.get_input_entity("alice_x")
        await client(functions.messages.SendMessageRequest(person, "hi", random_id=77))

    assert [m["random_id"] for m in await control.chat(BOB, ALICE)] == [77]


async def test_files_are_shown_with_their_digest(control: Control) -> None:
    """A file tells name, type, size and SHA-256; several files are one album."""
    content = b"%PDF-1.4 something"
    files = [
        {"name": f"{n}.pdf", "mime": "application/pdf", "base64": encoded(content)} for n in "ab"
    ]

    await control.write(ALICE, BOB, text="see", files=files)
    seen = await control.chat(BOB, ALICE)

    assert seen[0]["file"] == {
        "name": "a.pdf",
        "mime": "application/pdf",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert [m["text"] for m in seen] == ["see", ""]
    assert seen[0]["grouped_id"] == seen[1]["grouped_id"] is not None


async def test_reply_points_at_a_message_of_its_own_side(control: Control) -> None:
    """Each view tells the replied message by that side's id."""
    await control.write(BOB, ALICE, text="noise")
    ids = await control.write(ALICE, BOB, text="question")
    theirs = (await control.chat(BOB, ALICE))[-1]["id"]

    await control.write(BOB, ALICE, text="answer", reply_to=theirs)

    assert (await control.chat(ALICE, BOB))[-1]["reply_to"] == ids[0]


async def test_edit_and_deletion_reach_both_sides(control: Control) -> None:
    """An edited text is new on both sides, a deleted message is gone from both."""
    first = (await control.write(ALICE, BOB, text="one"))[0]
    second = (await control.write(ALICE, BOB, text="two"))[0]

    await control.ask("PATCH", "/telegram/messages", of=ALICE, id=first, text="uno")
    await control.ask("DELETE", "/telegram/messages", of=ALICE, id=second)

    assert [m["text"] for m in await control.chat(BOB, ALICE)] == ["uno"]
    assert [m["text"] for m in await control.chat(ALICE, BOB)] == ["uno"]


async def test_nobody_edits_what_another_wrote(control: Control) -> None:
    """Only the author may edit a message; an unknown one is not found."""
    await control.write(ALICE, BOB, text="hers")

    await control.ask("PATCH", "/telegram/messages", 400, of=BOB, id=1, text="his")
    await control.ask("PATCH", "/telegram/messages", 404, of=BOB, id=99, text="his")


async def test_reading_is_told_to_the_writer(control: Control) -> None:
    """A read chat shows in the writer's dialog as read."""
    ids = await control.write(ALICE, BOB, text="seen?")
    await control.ask("POST", "/telegram/read", by=BOB, chat_with=ALICE)

    async with await control.client_of(ALICE) as client:
        dialogs = await client.get_dialogs()

    assert dialogs[0].dialog.read_outbox_max_id == ids[0]


async def test_missed_call_arrives(control: Control) -> None:
    """A call that nobody takes leaves a service message."""
    await control.ask("POST", "/telegram/calls", 201, **{"from": ALICE, "to": BOB})

    async with await control.client_of(BOB) as client:
        message = (await client.get_messages("alice_x", limit=1))[0]

    assert type(message.action.reason).__name__ == "PhoneCallDiscardReasonMissed"


async def test_rpc_error_is_answered_as_often_as_ordered(control: Control) -> None:
    """An ordered RPC error hits that account's method so many times, others not."""
    order = {"phone": ALICE, "method": "messages.sendMessage", "error": "FLOOD_WAIT_30"}
    await control.ask("POST", "/telegram/faults", times=1, **order)

    async with await control.client_of(ALICE) as client:
        client.flood_sleep_threshold = 0
        with pytest.raises(errors.FloodWaitError) as caught:
            await client.send_message("bob_x", "hi")

    assert caught.value.seconds == 30


async def test_a_newer_answer_is_ordered_for_a_method(control: Control) -> None:
    """An answer that nobody can decode hits that method so many times."""
    order = {"kind": "newer_answer", "phone": ALICE, "method": "updates.getState"}

    async with await control.client_of(ALICE) as client:
        await control.ask("POST", "/telegram/faults", times=1, **order)
        with pytest.raises(errors.TypeNotFoundError):
            await client(functions.updates.GetStateRequest())
        assert await client(functions.updates.GetStateRequest())


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("revoke", errors.AuthKeyUnregisteredError),
        ("duplicate", errors.AuthKeyDuplicatedError),
        ("ban", errors.UserDeactivatedBanError),
    ],
)
async def test_lost_sessions_are_told_apart(
    control: Control, kind: str, expected: type[Exception]
) -> None:
    """A revoked, a duplicated, a banned session each get their own error."""
    async with await control.client_of(ALICE) as client:
        await client.get_me()
        await control.ask("POST", "/telegram/faults", kind=kind, phone=ALICE)

        with pytest.raises(expected):
            await client(functions.updates.GetStateRequest())


async def test_deaf_account_hears_again_when_faults_end(control: Control) -> None:
    """A deaf account gets answers but no updates until the faults are off."""
    heard: list[str] = []

    async def keep(event: Any) -> None:
        heard.append(event.raw_text)

    async with await control.client_of(BOB) as client:
        client.add_event_handler(keep, events.NewMessage())
        await client.get_me()
        await control.ask("POST", "/telegram/faults", kind="deaf", phone=BOB)
        await control.write(ALICE, BOB, text="unheard")
        await client.get_me()
        assert heard == []

        await control.ask("DELETE", "/telegram/faults")
        await control.write(ALICE, BOB, text="heard")
        await eventually(lambda: heard == ["unheard", "heard"], awaited="both, by the gap")


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/telegram/accounts", {"phone": "x", "first_name": "A"}),
        ("/telegram/accounts", {"phone": "380501"}),
        ("/telegram/accounts", {"phone": "380501", "first_name": "A", "colour": "red"}),
        ("/telegram/messages", {"from": ALICE, "to": BOB}),
        ("/telegram/messages", {"from": ALICE, "to": BOB, "text": "x" * 4097}),
        ("/telegram/messages", {"from": ALICE, "to": BOB, "files": [{"name": "a", "base64": "?"}]}),
        ("/telegram/faults", {"kind": "rain"}),
        ("/telegram/faults", {"kind": "deaf", "method": "help.getConfig"}),
        ("/telegram/faults", {"phone": ALICE}),
        ("/telegram/faults", {"error": "FLOOD_WAIT_1", "kind": "cut"}),
        ("/telegram/qr", {"phone": ALICE, "url": "https://example.com"}),
    ],
)
async def test_malformed_orders_are_refused_with_reasons(
    control: Control, path: str, order: dict[str, Any]
) -> None:
    """A malformed order is answered 400 with the field and the reason."""
    answer = await control.ask("POST", path, 400, **order)

    assert answer["error"] == "invalid_request"
    assert all({"field", "reason"} == set(problem) for problem in answer["detail"])


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/telegram/sessions", {"phone": NOBODY}),
        ("/telegram/messages", {"from": ALICE, "to": NOBODY, "text": "x"}),
        ("/telegram/messages", {"from": ALICE, "to": BOB, "text": "x", "reply_to": 9}),
        ("/telegram/read", {"by": NOBODY, "chat_with": ALICE}),
        ("/telegram/faults", {"kind": "cut", "phone": NOBODY}),
    ],
)
async def test_unknown_people_are_not_found(
    control: Control, path: str, order: dict[str, Any]
) -> None:
    """Who or what does not exist is answered 404."""
    assert (await control.ask("POST", path, 404, **order))["error"] == "not_found"


async def test_phone_and_username_belong_to_one_account(control: Control) -> None:
    """A phone or username that is taken is a conflict; nothing is made."""
    before = await control.ask("GET", "/telegram/accounts")

    await control.ask("POST", "/telegram/accounts", 409, phone=ALICE, first_name="B")
    taken = {"phone": "380501", "first_name": "B", "username": "alice_x"}
    await control.ask("POST", "/telegram/accounts", 409, **taken)

    assert await control.ask("GET", "/telegram/accounts") == before


async def test_reset_forgets_everything(control: Control) -> None:
    """After a reset there is no account on either side."""
    account = {"planfix_token": "k", "provider_id": "telegram"}
    await control.ask("PUT", "/planfix/acme", **account)

    await control.ask("POST", "/reset")

    assert await control.ask("GET", "/telegram/accounts") == []
    assert await control.ask("GET", "/planfix") == []


async def test_file_is_laid_into_the_other_data_centre(control: Control) -> None:
    """A file ordered to lie elsewhere names that data centre to whoever gets it."""
    file = {"name": "a.pdf", "mime": "application/pdf", "base64": encoded(b"%PDF-1.4"), "dc": 4}

    async with await control.client_of(BOB) as client:
        await control.write(ALICE, BOB, files=[file, file | {"dc": 2}])
        messages = await client.get_messages("alice_x", 2)

    assert [message.document.dc_id for message in messages] == [2, 4]


async def test_unknown_data_centre_is_refused(control: Control) -> None:
    """There are two data centres to lay files into, no others."""
    file = {"name": "a.pdf", "base64": encoded(b"x"), "dc": 3}

    await control.ask(
        "POST", "/telegram/messages", 400, **{"from": ALICE, "to": BOB, "files": [file]}
    )
