"""Calls of Planfix: what is good is kept, what is not ours to keep is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from supervisor.errors import (
    DatabaseUnavailable,
    MessageEmpty,
    RecipientUnknown,
    ResolvingDelayed,
    StandingBy,
    WorkerTimeout,
    WorkerUnavailable,
)
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, start
from tests.unit.api.planfix_calls import (
    ANSWER,
    GOOD,
    LINK,
    OTHER,
    PARAMETERS,
    TOKEN,
    send,
    told,
)

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway


async def test_message_is_kept(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """A call of Planfix is kept for the number whose token it carries."""
    token = await start(client)

    response = await send(client, GOOD, token)

    (draft,) = gateway.messages.accepted
    assert (response.status_code, await response.get_json()) == (200, ANSWER)
    assert (draft.planfix_id, draft.text) == ("50000001", "Добрий день")
    assert (draft.chat_id, draft.user_id) == (f"{NUMBER}_7001", 7001)
    assert (draft.username, draft.phone) == ("taras_m", "380671112233")


async def test_json_says_the_same(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """JSON is taken too, with ids as numbers, attachments as a list."""
    token = await start(client)
    files = [{"name": "a.pdf", "url": LINK}]
    numbers = {"messageId": 50000001, "telegramUserId": 7001, "channel": int(NUMBER)}
    body = {**GOOD, **numbers, "token": token, "attachments": files}

    response = await client.post("/webhook/message", json=body)

    (draft,) = gateway.messages.accepted
    assert response.status_code == 200
    assert (draft.planfix_id, draft.user_id) == ("50000001", 7001)
    assert draft.attachments == (("a.pdf", LINK),)


async def test_null_is_as_good_as_missing(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """Programs that write JSON say null for what they do not have."""
    token = await start(client)
    nothing = dict.fromkeys(("message", "userIco", "contactPhone", "telegramUserId"))
    bodies = (
        {**GOOD, **nothing, "attachments": [{"name": "a", "url": LINK}]},
        {**GOOD, "messageId": "2", "attachments": None, "telegramUserName": None, "channel": None},
    )

    answers = [
        await client.post("/webhook/message", json={**body, "token": token}) for body in bodies
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(gateway.messages.accepted) == 2


@pytest.mark.parametrize("missing", ["channel", "chatId", "userName", "taskEmail", "userIco"])
async def test_optional_field_may_be_missing(
    client: TestClientProtocol, gateway: FakeGateway, missing: str
) -> None:
    """What Planfix leaves out, or leaves empty, is not needed."""
    token = await start(client)

    without = await send(client, {**GOOD, "messageId": "1"} | {missing: ""}, token)
    del (fields := dict(GOOD))[missing]
    absent = await send(client, fields, token)

    assert (without.status_code, absent.status_code) == (200, 200)
    assert len(gateway.messages.accepted) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("telegramUserId", value) for value in ("taras", "-5", "0", "9" * 30)),
        *(("telegramUserName", value) for value in ("a b", "ї ї ї", "x" * 300, "https://t.me/+38")),
        *(("contactPhone", value) for value in ("call me", "+", "38067****33", "3" * 40)),
    ],
)
async def test_unreadable_hint_is_as_good_as_none(
    client: TestClientProtocol, gateway: FakeGateway, name: str, value: str
) -> None:
    """People type into a contact's card what they like; whoever is known by other means gets the message."""
    token = await start(client)
    alone = {**GOOD, "chatId": "", "telegramUserId": "", "telegramUserName": "", "contactPhone": ""}

    beside_others = await send(client, {**GOOD, "messageId": "1", name: value}, token)
    by_itself = await send(client, {**alone, name: value}, token)

    (draft,) = gateway.messages.accepted
    hints = (draft.user_id, draft.username, draft.phone)
    assert beside_others.status_code == 200
    assert (hints.count(None), draft.chat_id) == (1, GOOD["chatId"])
    assert await told(by_itself) == PARAMETERS


async def test_attachments_repeat(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """Names belong to links by their places; a text is not needed then."""
    token = await start(client)
    files = [("attachments[name]", "a"), ("attachments[url]", LINK)]
    more = [("attachments[name]", "b"), ("attachments[url]", f"{LINK}?2")]

    response = await send(client, [*{**GOOD, "message": ""}.items(), *files, *more], token)

    assert response.status_code == 200
    assert gateway.messages.accepted[0].attachments == (("a", LINK), ("b", f"{LINK}?2"))


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("/files/%D1%84%D0%BE%D1%82%D0%BE.png?key=1", "фото.png"),
        ("/filelink/1", ""),
        ("/", ""),
        ("/..", ""),
        ("/a%00b.png", ""),
        ("/" + "a" * 300 + ".png", ""),
    ],
)
async def test_file_without_a_name_is_called_as_in_its_link(
    client: TestClientProtocol, gateway: FakeGateway, link: str, name: str
) -> None:
    """The type of a file is in its name, so a name that only the link has is used."""
    token = await start(client)
    url = f"https://romashka.planfix.ua{link}"

    response = await send(client, [*GOOD.items(), ("attachments[url]", url)], token)

    assert response.status_code == 200
    assert gateway.messages.accepted[0].attachments == ((name, url),)


async def test_as_many_files_as_are_promised_fit_into_a_form(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """Fifty files, each with a name and a link, leave room for all other fields."""
    token = await start(client)
    files = [("attachments[name]", "a"), ("attachments[url]", LINK)] * 50

    response = await send(client, [*GOOD.items(), *files], token)

    assert response.status_code == 200
    assert len(gateway.messages.accepted[0].attachments) == 50


async def test_link_of_a_file_must_lead_into_the_web(client: TestClientProtocol) -> None:
    """What is wrong with a link is told in words, not as a pattern."""
    token = await start(client)
    files = [("attachments[name]", "a"), ("attachments[url]", "ftp://romashka.planfix.ua/1")]

    response = await send(client, [*GOOD.items(), *files], token)

    assert (await response.get_json())["detail"] == [
        {"field": "attachments.0.url", "reason": "must start with http:// or https://"}
    ]


async def test_long_name_of_a_field_is_not_repeated(client: TestClientProtocol) -> None:
    """A field that is given twice is named in the answer, but a stranger's long name only in part."""
    name = " of " * 1000
    response = await client.post(
        "/webhook/message",
        data=urlencode([(name, "1"), (name, "2")]),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "ru"},
    )

    assert response.status_code == 400
    detail = (await response.get_json())["detail"]
    assert detail.endswith(": указано больше одного раза")
    assert len(detail) < 200


@pytest.mark.parametrize(
    ("header", "value"),
    [("Authorization", "Bearer {}"), ("Authorization", "{}"), ("Token", "{}")],
)
async def test_token_may_come_in_a_header(
    client: TestClientProtocol, header: str, value: str
) -> None:
    """As in all other calls."""
    token = await start(client)

    headers = {header: value.format(token)}
    response = await client.post("/webhook/message", json=GOOD, headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", "x" * 10_000, "ключ"])
async def test_wrong_token_is_refused(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """Without the key of a number nothing is kept."""
    await start(client)

    response = await send(client, GOOD, token)

    assert await told(response) == TOKEN
    assert gateway.messages.accepted == []


async def test_no_token_is_refused(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """None at all is as good as a wrong one."""
    await start(client)

    assert await told(await send(client, GOOD, None)) == TOKEN
    assert gateway.messages.accepted == []


@pytest.mark.parametrize("token", [None, 1, True, [], {}], ids=str)
async def test_token_of_another_type_is_refused(
    client: TestClientProtocol, gateway: FakeGateway, token: Any
) -> None:
    """In JSON a token may be no text at all."""
    await start(client)

    response = await client.post("/webhook/message", json={**GOOD, "token": token})

    assert await told(response) == TOKEN
    assert gateway.messages.accepted == []


@pytest.mark.parametrize("channel", [OTHER, "380990000000"], ids=["another client's", "nobody's"])
async def test_channel_must_be_the_clients(
    client: TestClientProtocol, gateway: FakeGateway, channel: str
) -> None:
    """A token opens no other client's number; whether that exists is not told."""
    token = await start(client)
    await start(client, number=OTHER, name="Vesna")

    response = await send(client, {**GOOD, "channel": channel}, token)

    assert await told(response) == TOKEN
    assert gateway.messages.accepted == []


async def test_one_token_opens_all_channels_of_its_client(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """One integration of Planfix has one token; `channel` says which number is to write."""
    own = await start(client)
    await start(client, number=OTHER)

    through_other = await send(client, {**GOOD, "channel": OTHER, "chatId": f"{OTHER}_7001"}, own)
    through_own = await send(client, {**GOOD, "channel": "", "messageId": "2"}, own)

    answers = [await each.get_json() for each in (through_other, through_own)]
    assert [each["chatId"] for each in answers] == [f"{OTHER}_7001", f"{NUMBER}_7001"]
    assert [draft.planfix_id for draft in gateway.messages.accepted] == ["50000001", "2"]


@pytest.mark.parametrize(
    "differs", [{"name": "Vesna"}, {"url_planfix": "https://vesna.planfix.ua/webchat/api"}], ids=str
)
async def test_neighbours_in_one_thing_alone_stay_closed(
    client: TestClientProtocol, gateway: FakeGateway, differs: dict[str, str]
) -> None:
    """Neither the client's name alone nor the Planfix alone makes two numbers one integration."""
    token = await start(client)
    await start(client, number=OTHER, **differs)

    response = await send(client, {**GOOD, "channel": OTHER}, token)

    assert await told(response) == TOKEN
    assert gateway.messages.accepted == []


async def test_operator_writes_where_a_channel_is_named(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """The admin key opens what a token opens; which number is meant it can't say by itself."""
    await start(client)
    free = {**GOOD, "channel": OTHER}
    nobody = {name: value for name, value in GOOD.items() if name != "channel"}
    admin = bearer(ADMIN_KEY)

    taken = await client.post("/webhook/message", json=GOOD, headers=admin)
    refused = [
        await client.post("/webhook/message", json=fields, headers=admin)
        for fields in (free, nobody)
    ]

    assert taken.status_code == 200
    assert [await told(response) for response in refused] == [TOKEN, TOKEN]
    assert len(gateway.messages.accepted) == 1


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RecipientUnknown(), *PARAMETERS),
        (RecipientUnknown("the chat is unknown"), *PARAMETERS),
        (MessageEmpty(), *PARAMETERS),
        (WorkerUnavailable(), 503, "worker_unavailable"),
        (ResolvingDelayed("FLOOD_WAIT: wait 8 s", 7.2), 503, "resolving_delayed"),
        (WorkerTimeout(), 503, "worker_timeout"),
        (DatabaseUnavailable("secret words of the database"), 503, "database_unavailable"),
        (StandingBy(), 503, "standing_by"),
    ],
    ids=repr,
)
async def test_what_the_gateway_can_not_do_is_told(
    client: TestClientProtocol, gateway: FakeGateway, error: Exception, status: int, code: str
) -> None:
    """Nobody found is the caller's fault; what Planfix may try again later is not."""
    token = await start(client)
    gateway.messages.refusal = error

    response = await send(client, GOOD, token)

    body = await response.get_json()
    assert (response.status_code, body["error"]) == (status, code)
    assert body["detail"]
    assert "secret" not in body["detail"]
