"""What all values that cross the pipe have in common."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

LONGEST_BYTES = 4096

Bytes = Annotated[
    bytes,
    BeforeValidator(lambda value: b64decode(value) if isinstance(value, str) else value),
    PlainSerializer(lambda value: b64encode(value).decode(), when_used="json"),
    Field(max_length=LONGEST_BYTES),
]


class PipeValue(BaseModel):
    """A value that crosses the pipe."""

    # A log may say what is wrong, but not what the value contains.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def changed(self, **fields: Any) -> Self:
        """Return the value with other fields, which are repaired like those of a new value."""
        return type(self).model_validate({**dict(self), **fields})
