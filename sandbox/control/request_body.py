"""The JSON body of a control call."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, TypeAdapter
from quart import request

from sandbox.control.errors import ControlError

Model = TypeVar("Model", bound=BaseModel)
Value = TypeVar("Value")


async def read_body(model: type[Model]) -> Model:
    """Validate the body of the current request; pydantic's error becomes a 400 with its reasons."""
    return await read_json(TypeAdapter(model))


async def read_json(adapter: TypeAdapter[Value]) -> Value:
    """Validate a body that may be one of several models."""
    if not request.is_json:
        raise ControlError(415, "unsupported_media_type", "the body must be application/json")
    return adapter.validate_json(
        await request.get_data(cache=False, as_text=False, parse_form_data=False)
    )
