"""Callers read the reason of a refusal in the language that they ask for."""

# ruff: noqa: RUF001 - the letters are meant to be Cyrillic

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings

from api import create_app  # noqa: F401 - imports all models of calls
from api.requests.body import Answer
from api.requests.errors import invalid_fields
from api.requests.reasons import REASONS, rewrite_for_bot, translate_reason
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, draft, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quart.typing import TestClientProtocol

UNKNOWN = "/numbers/380000000000"
ENGLISH = "There is no such number."
RUSSIAN = "Такого номера нет."
# Values that are wrong for one field or another, in every way that a field may be checked.
WRONG: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        10**20,
        1.5,
        float("nan"),
        "",
        " ",
        "x",
        "~",
        "x" * 70_000,
        "\x00",
        "\ud800",
    ),
    *([], {}, [None], ["x"] * 1001, [[]], [{}], {"a": 1}, [{"url": "x"}], "{", "[", "1.5"),
    *("2020-01-01", "2999-01-01", "2026-99-99", "2026-01-99", "2026-01-01T00:00:00", "2026.01.01"),
    *("ftp://x", "http://x", "https://a:b@c.example/", "http://10.0.0.1/", "https://10.0.0.1/"),
    *("socks5://x", "http://u@1.1.1.1:1", "http://u:p@1.1.1.1:1/x", "mtproxy://aa@1.1.1.1:1"),
    *("mtproxy://1.1.1.1:1", "http://%ff:p@1.1.1.1:1", "http://a%3ab:p@1.1.1.1:1"),
    *("socks5://a%01:b@1.1.1.1:1", f"socks5://{'x' * 300}:b@1.1.1.1:1", "socks5://a:b@10.0.0.1:1"),
    *({"mode": "all", "people": ["x"]}, {"mode": "x", "people": 3, "folders": [[]], "contacts": 7}),
    {"enabled": "maybe", "burst": 0, "variance": 7, "growth_per_day": 1.5, "look_ups_per_day": "x"},
    [[{"text": "x"}]],
    [[{"text": "x", "data": "é" * 40}]],
]


async def detail_of(client: TestClientProtocol, path: str, languages: str | None) -> Any:
    headers = bearer(ADMIN_KEY) | ({"Accept-Language": languages} if languages else {})
    response = await client.get(path, headers=headers)
    assert response.headers["Vary"] == "Accept-Language"
    return (await response.get_json())["detail"]


@pytest.mark.parametrize(
    ("languages", "detail"),
    [
        (None, ENGLISH),
        ("*", ENGLISH),
        ("en", ENGLISH),
        ("de-DE,de;q=0.9", ENGLISH),
        ("ru-RU,ru;q=0.9,en;q=0.5", RUSSIAN),
        ("de,uk;q=0.5", "Такого номера немає."),
    ],
)
async def test_detail_is_in_the_language_of_the_reader(
    client: TestClientProtocol, languages: str | None, detail: str
) -> None:
    """Accept-Language chooses; a program that names none, and a reader of no known one, get English."""
    assert await detail_of(client, UNKNOWN, languages) == detail


async def test_fields_keep_their_names(client: TestClientProtocol) -> None:
    """Of a field that is refused only the reason is translated."""
    headers = bearer(ADMIN_KEY) | {"Accept-Language": "ru"}

    response = await client.post("/webhook", json=draft(number="12"), headers=headers)

    reason = "нужны от 5 до 15 цифр, с + или без него"
    assert await response.get_json() == {
        "error": "invalid_request",
        "detail": [{"field": "number", "reason": reason}],
    }


async def test_errors_of_the_gateway_and_of_the_server_are_translated(
    client: TestClientProtocol,
) -> None:
    """What the gateway refuses, what no address answers, and what becomes of each number of many."""
    await start(client)
    headers = bearer(ADMIN_KEY) | {"Accept-Language": "uk"}

    again = await client.post("/webhook", json=draft(), headers=headers)
    nowhere = await client.get("/nowhere", headers=headers)
    wanted = {"action": "stop", "numbers": ["380000000000"]}
    many = await client.post("/numbers/actions", json=wanted, headers=headers)

    assert (await again.get_json())[
        "detail"
    ] == "Цей номер уже запущено; спершу зупиніть його (DELETE)."
    assert (await nowhere.get_json())["detail"] == "такої адреси немає"
    (failed,) = (await many.get_json())["numbers"]
    assert failed["detail"] == "такого номера немає, або він іншого клієнта чи в іншому стані"
    assert NUMBER not in failed["detail"]


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        (
            "The number is not connected to Telegram now. (deaf)",
            "Сейчас номер не подключён к Telegram. (deaf)",
        ),
        (
            "the number has looked up as many phones as is safe; try again in 40 s",
            "номер уже искал столько телефонов, сколько безопасно; повторите через 40 с",
        ),
        (
            "The template or its data is too large, or it loops too often. (a range, as in (1..9); loop over a list of the data)",
            "Шаблон или его данные слишком велики, или в нём слишком много повторений. (диапазон, как (1..9); перебирайте список из данных)",
        ),
        ("Input should be 'all', 'only' or 'except'", "можно только 'all', 'only' или 'except'"),
        ("PHONE_NUMBER_INVALID", "PHONE_NUMBER_INVALID"),
    ],
)
def test_values_and_reasons_within_reasons_are_kept(english: str, russian: str) -> None:
    """Values are taken over, a reason within another is translated too, and unknown words stay."""
    assert translate_reason(english, "ru") == russian
    assert translate_reason(english, "en") == english
    assert translate_reason(russian, "ru") == russian


@pytest.mark.parametrize("piece", [" of ", " (", "; ", "()"])
def test_reason_that_quotes_a_stranger_at_length_stays(piece: str) -> None:
    """What is longer than any reason of ours is not compared with them, which could take for ever."""
    reason = piece * 100_000

    assert translate_reason(reason, "ru") == reason


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The bot is running already; stop it with DELETE first."),
        ("ru", "Этот бот уже запущен; сначала остановите его (DELETE)."),
        ("uk", "Цей бот уже запущено; спершу зупиніть його (DELETE)."),
    ],
)
def test_bot_is_no_number(language: str, said: str) -> None:
    """What is said of a number is said of a bot, in each language."""
    reason = "The number is running already; stop it with DELETE first."
    assert rewrite_for_bot(translate_reason(reason, language), language) == said


def test_every_reason_of_a_field_is_translated() -> None:
    """However a field is wrong, also in ways that the library names, the reason has its translations."""
    reasons = {reason for model in models_of_calls(BaseModel) for reason in reasons_of(model)}

    assert "Field required" in reasons
    # Words of the library that name our classes, or count the characters of a text as items.
    assert [each for each in reasons if "instance of" in each] == []
    assert [each for each in reasons if each.startswith("Value should")] == []
    for language in REASONS:
        untold = {each for each in reasons if translate_reason(each, language) == each}
        assert untold == set(), language


def models_of_calls(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Find whatever the fields of a call are read with."""
    for model in base.__subclasses__():
        if model.__module__.startswith("api.") and not issubclass(model, Answer | BaseSettings):
            yield model
        yield from models_of_calls(model)


def reasons_of(model: type[BaseModel]) -> Iterator[str]:
    names = [field.alias or name for name, field in model.model_fields.items()]
    for fields in ({}, {"unknown": 1}, *({name: value} for name in names for value in WRONG)):
        try:
            model.model_validate(fields, context={"allow_private_planfix": False})
        except ValidationError as exc:
            detail = invalid_fields(exc).detail
            assert isinstance(detail, list)
            yield from (each["reason"] for each in detail)
