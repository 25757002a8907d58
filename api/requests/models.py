"""The base classes of request bodies and answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from quart import Response

from api.requests.fields import Digits


class Answer(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ErrorAnswer(Answer):
    """What went wrong."""

    error: str = Field(examples=["invalid_request"])
    detail: str | list[dict[str, str]]


def respond(answer: Answer, status: int = 200) -> Response:
    return Response(answer.model_dump_json(by_alias=True), status, content_type="application/json")


class Body(BaseModel):
    """The fields of a call; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Numbered(BaseModel):
    """The number that a call is about; it is read before the caller is authorised."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    number: Digits
