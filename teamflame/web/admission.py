"""Who makes a call, and what it says."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from quart import Response, current_app, request

from teamflame.errors import ProofInvalid
from teamflame.web.errors import CallInvalid, refuse_field, refuse_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from quart import Quart

    from teamflame.accounts.proof import Caller
    from teamflame.teamflame import TeamFlame

_KEY: Final = "teamflame"
_LARGEST: Final = 256 * 1024  # bytes of a body


class Body(BaseModel):
    """The fields of a call; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


BodyModel = TypeVar("BodyModel", bound=Body)


def share(app: Quart, teamflame: TeamFlame, address_of_caller: Callable[[], str]) -> None:
    """Let the calls of this app reach TeamFlame's part."""
    app.extensions[_KEY] = (teamflame, address_of_caller)


def teamflame() -> TeamFlame:
    found = current_app.extensions.get(_KEY)
    if found is None:
        raise CallInvalid("TeamFlame is not set up here", HTTPStatus.NOT_FOUND, "not_found")
    return cast("TeamFlame", found[0])


def caller_address() -> str:
    return cast("str", current_app.extensions[_KEY][1]())


def admit() -> Caller:
    """Return who makes the call, as proved by the data of the launch or by one of our tokens."""
    shared = teamflame()
    scheme, _, proof = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "tma":
            return shared.verify_launch(proof)
        case "bearer":
            return shared.verify_token(proof.strip())
        case _:
            raise ProofInvalid


def admit_person() -> tuple[Caller, int]:
    """Like `admit`, but only for Telegram users, about whom more is stored."""
    caller = admit()
    if caller.user_id is None:
        raise CallInvalid("only for people in Telegram", HTTPStatus.FORBIDDEN, "telegram_only")
    return caller, caller.user_id


async def read(model: type[BodyModel]) -> BodyModel:
    raw = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    if request.mimetype != "application/json":
        code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        raise CallInvalid("send application/json", code, "unsupported_media_type")
    if len(raw) > _LARGEST:
        code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        raise CallInvalid("the body is too large", code, "body_too_large")
    try:
        return model.model_validate_json(raw)
    except ValidationError as exc:
        refuse_fields(exc)


def query(name: str) -> str:
    """Read the id that a call has in its query."""
    found = request.args.getlist(name)
    if len(found) != 1:
        refuse_field(name, "give it once")
    return key(found[0], name)


def key(value: str, name: str = "id") -> str:
    """Refuse what cannot be an id at TeamFlame before it becomes a part of an address."""
    if not value.isascii() or not value.isalnum() or len(value) > 100:
        refuse_field(name, "is not an id")
    return value


def respond(answer: BaseModel, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status, content_type="application/json")
