"""What /openapi.json and /docs say about each field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api.requests.body import Answer, Body
from api.requests.glossary import MEANINGS, OF, media_of, operations
from teamflame.web import admission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel
    from quart.typing import TestClientProtocol


@pytest.fixture
async def schema(client: TestClientProtocol) -> dict[str, Any]:
    found: dict[str, Any] = await (await client.get("/openapi.json")).get_json()
    return found


def fields_of(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every field and parameter with its name and the title of what it belongs to."""
    models = list(schema["components"]["schemas"].values())
    for operation in operations(schema):
        models += [media["schema"] for media in media_of(operation)]
        for parameter in operation.get("parameters", ()):
            yield "", parameter["name"], parameter
    for model in models:
        for name, field in model.get("properties", {}).items():
            yield model.get("title", ""), name, field


async def test_every_field_is_described(schema: dict[str, Any]) -> None:
    """No field of a body, an answer or an address leaves its meaning to be guessed."""
    assert [
        f"{title}.{name}"
        for title, name, field in fields_of(schema)
        if not field.get("description")
    ] == []
    assert all(call["summary"] for call in operations(schema))
    assert all(part["description"] for part in schema["components"]["schemas"].values())


async def test_no_meaning_is_left_over(schema: dict[str, Any]) -> None:
    """Each entry of the glossary is for a field that there is."""
    fields = list(fields_of(schema))

    assert set(MEANINGS) <= {name for _, name, _ in fields}
    assert set(OF) <= {f"{title}.{name}" for title, name, _ in fields}


def test_models_have_names_of_their_own() -> None:
    """A name stands for one schema in the description, so no two models of the API share it."""
    models: list[type[BaseModel]] = []
    for base in (Answer, Body, admission.Answer, admission.Body):
        models += _below(base)
    names = [model.__name__ for model in models]

    assert sorted({name for name in names if names.count(name) > 1}) == []


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _below(each)


async def test_description_is_made_once(client: TestClientProtocol) -> None:
    """Strangers may ask for it as often as they like, and it takes long to make."""
    provider = client.app.extensions["QUART_SCHEMA"].openapi_provider

    pages = [await (await client.get("/docs")).get_data() for _ in range(2)]

    assert provider.schema() is provider.schema()
    assert pages[0] == pages[1]
