"""Bodies that cannot be read are errors with a reason; nothing is started by them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from api.requests.body import LARGEST, SMALL
from tests.unit.api.calls import ADMIN_KEY, FORM, NUMBER, bearer, draft, fields_at_fault

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol
    from quart.wrappers import Response

    from tests.fakes.gateway import FakeGateway

JSON = "application/json"
GOOD = json.dumps(draft()).encode()
REQUIRED = ("name", "number", "url_planfix", "token_planfix")
OPTIONAL = ("name_session", "path_session", "provider_id", "user_email")


async def post(client: TestClientProtocol, body: bytes, kind: str | None = JSON) -> Response:
    headers = bearer(ADMIN_KEY) | ({"Content-Type": kind} if kind else {})
    return await client.post("/webhook", data=body, headers=headers)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", JSON),
        (b"", FORM),
        (b"", None),
        (b"{", JSON),
        (b"null", JSON),
        (b"[]", JSON),
        (b'"text"', JSON),
        (b"[" * 10_000, JSON),
        (b"NaN", JSON),
        (GOOD[:-1], JSON),
        (GOOD + b"x", JSON),
        ('{"name": "Ромашка"}'.encode("cp1251"), JSON),
        ("name=Ромашка".encode("cp1251"), FORM),
        (b"name=%D0%EE%EC", FORM),
        ('{"name": "Ромашка"}'.encode("utf-16"), JSON),
        (b"&".join(b"a%d=1" % n for n in range(101)), FORM),
        (b'{"number": ' + b"9" * 5000 + b"}", JSON),
    ],
)
async def test_unreadable_body_is_an_error(
    client: TestClientProtocol, gateway: FakeGateway, body: bytes, kind: str | None
) -> None:
    """Empty, broken, wrongly encoded: 400 with the body named as the fault."""
    response = await post(client, body, kind)

    assert await fields_at_fault(response) == {"body"}
    assert gateway.created == []


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/json; charset=windows-1251",
        f"{FORM}; charset=koi8-u",
        "garbage",
    ],
)
async def test_other_kinds_of_body_are_refused(
    client: TestClientProtocol, gateway: FakeGateway, kind: str | None
) -> None:
    """What is neither JSON nor a form in UTF-8 gets 415."""
    response = await post(client, GOOD, kind)

    assert response.status_code == 415
    assert (await response.get_json())["error"] == "unsupported_media_type"
    assert gateway.created == []


async def test_compressed_body_is_refused(client: TestClientProtocol) -> None:
    """We unpack nothing."""
    headers = {**bearer(ADMIN_KEY), "Content-Type": JSON, "Content-Encoding": "gzip"}

    response = await client.post("/webhook", data=GOOD, headers=headers)

    assert response.status_code == 415


@pytest.mark.parametrize("size", [SMALL + 1, LARGEST + 1, 10 * LARGEST])
async def test_oversized_body_is_refused(
    client: TestClientProtocol, gateway: FakeGateway, size: int
) -> None:
    """More than a number's fields can need gets 413."""
    response = await post(client, b'{"name": "' + b"x" * size)

    assert response.status_code == 413
    assert (await response.get_json())["error"] == "body_too_large"
    assert gateway.created == []


@pytest.mark.parametrize("field", REQUIRED)
@pytest.mark.parametrize(
    "change", ["missing", "empty", "blank", "null", "control", "list", "object"]
)
async def test_required_field_must_be_there(
    client: TestClientProtocol, gateway: FakeGateway, field: str, change: str
) -> None:
    """Each required field that is missing, empty or of a wrong kind is named with its reason."""
    wrong: dict[str, Any] = {
        "empty": "",
        "blank": "  ",
        "null": None,
        "control": "a\x00b",
        "list": ["a"],
        "object": {"a": 1},
    }
    body = draft()
    body.pop(field)
    if change != "missing":
        body[field] = wrong[change]

    response = await post(client, json.dumps(body).encode())

    assert await fields_at_fault(response) == {field}
    assert gateway.created == []


@pytest.mark.parametrize("field", [*REQUIRED, *OPTIONAL])
@pytest.mark.parametrize("value", ["x" * 5000, 1.5, True, "\ud800"])
async def test_field_must_fit(
    client: TestClientProtocol, gateway: FakeGateway, field: str, value: object
) -> None:
    """Too long, a fraction, a truth value, half a character: no field takes them."""
    response = await post(client, json.dumps(draft(**{field: value})).encode())

    assert await fields_at_fault(response) == {field}
    assert gateway.created == []


@pytest.mark.parametrize(
    "number",
    ["1234", "1" * 16, "38-095", "380 95", "++38095", "٣٨٠٩٥٥", "12345\n6", -12345, 10**20],
)
async def test_number_must_be_digits(client: TestClientProtocol, number: str | int) -> None:
    """Anything but 5 to 15 digits is no number."""
    response = await post(client, json.dumps(draft(number=number)).encode())

    assert await fields_at_fault(response) == {"number"}


async def test_unknown_field_is_told(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """A field nobody knows is a slip of the pen, not ignored."""
    response = await post(client, json.dumps(draft(url_planfx="x")).encode())

    assert await fields_at_fault(response) == {"url_planfx"}
    assert gateway.created == []


@pytest.mark.parametrize("field", [*REQUIRED, *OPTIONAL])
async def test_repeated_field_is_told(client: TestClientProtocol, field: str) -> None:
    """Of two values neither is taken, in JSON as in a form."""
    in_json = GOOD[:-1] + f', "{field}": "a", "{field}": "b"}}'.encode()

    as_json = await post(client, in_json)
    as_form = await post(client, f"{field}=a&{field}=b".encode(), FORM)

    assert await fields_at_fault(as_json) == {field}
    assert await fields_at_fault(as_form) == {field}


async def test_all_faults_are_told_at_once(client: TestClientProtocol) -> None:
    """Detail lists every field that does not fit."""
    body = {"number": "x", "provider_id": "a~b", "user_email": "nobody"}

    response = await post(client, json.dumps(body).encode())

    assert await fields_at_fault(response) == {*REQUIRED, "provider_id", "user_email"}


async def test_faults_never_repeat_what_was_sent(client: TestClientProtocol) -> None:
    """A secret in a wrong place does not come back in the error."""
    response = await post(client, json.dumps(draft(token_planfix=["s3cret-s3cret"])).encode())

    assert b"s3cret" not in await response.get_data()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_every_verb_names_its_fault(client: TestClientProtocol, method: str) -> None:
    """Without a number there is nothing to do, whatever the verb."""
    response = await client.open(
        "/webhook", method=method, json={"name": "Romashka"}, headers=bearer(ADMIN_KEY)
    )

    assert await fields_at_fault(response) == {"number"}


async def test_plus_sign_in_a_query_is_no_fault(client: TestClientProtocol) -> None:
    """`?number=+380…` reads as a space, which is forgiven."""
    response = await client.get(f"/webhook?name=Romashka&number=+{NUMBER}", headers=bearer("wrong"))

    assert response.status_code == 401
