"""The call by which Planfix delivers the messages of employees: its form, its validation and its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from quart import Blueprint, Response, request
from quart_schema import document_request, document_response, tag

from api.context import context
from api.requests.body import AbsentIfEmpty, Answer, normalise_number, read_pairs, respond
from api.requests.errors import ApiError, invalid_fields, unauthorized
from supervisor.errors import MessageEmpty, MessageTooLarge, RecipientUnknown
from supervisor.messages.message_service import AttachmentDraft, OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Iterable


LARGEST_CALL = 1024 * 1024  # bytes
LONGEST_TEXT = 64 * 1024  # characters; the limit of a comment in Planfix
MOST_FILES = 50
LONGEST_FILE_NAME = 255
MOST_FIELDS = 100 + 2 * MOST_FILES  # each file has two
LONGEST_NAME = 100  # characters of a field's name that are repeated in an answer
# Planfix repeats the plain keys; the numbered forms of PHP and Rails are understood too.
_ATTACHMENT = re.compile(r"attachments(?:\[(\d*)\])?\[(name|url)\](?:\[\])?")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_USERNAME = re.compile(r"(?:https?://)?(?:t(?:elegram)?\.me/)?@?(\w{3,32})/?", re.ASCII)
_USER_ID = re.compile(r"[1-9][0-9]{0,14}")


def _username(value: Any) -> Any:
    """Read a user name as Planfix may store it: plain, with @, or as a link."""
    if not isinstance(value, str):
        return value
    found = _USERNAME.fullmatch(value.strip())
    return found[1] if found else None


def _phone(value: Any) -> Any:
    """Read a phone number as people type it."""
    if not isinstance(value, str):
        return None if value is None else normalise_number(value)
    try:
        return normalise_number(re.sub(r"[\s().\-]", "", value))
    except ValueError:
        return None


def _user_id(value: Any) -> Any:
    """Read a Telegram id; JSON's true and false are not ids, although Python treats them as numbers."""
    if isinstance(value, str):
        return value if _USER_ID.fullmatch(value.strip()) else None
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic reports only this kind
    return value


def _text(value: Any) -> Any:
    """Accept ids that JSON carries as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _web_address(url: str) -> str:
    if not _WEB.match(url):
        raise ValueError("must start with http:// or https://")
    return url


def _if_null(nothing: Any) -> BeforeValidator:
    """Take JSON's null for a field that is left out."""
    return BeforeValidator(lambda value: nothing if value is None else value)


Word = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=255)]


class NamedLink(BaseModel):
    """A file that the employee attached."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: Annotated[str, Field(max_length=LONGEST_FILE_NAME)] = ""
    url: Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_web_address)]

    def as_draft(self) -> AttachmentDraft:
        return AttachmentDraft(self.name or _name_in(self.url), self.url)


def _name_in(url: str) -> str:
    """Return the name with which a link ends, if it shows of what type the file is."""
    try:
        name = unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:  # a host that cannot be; fetching the file will say so
        return ""
    has_type = "." in name.strip(".")
    return name if has_type and name.isprintable() and len(name) <= LONGEST_FILE_NAME else ""


class PlanfixMessage(BaseModel):
    """A message from an employee to a contact; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    cmd: Literal["newMessage"]
    provider_id: Annotated[Word, Field(alias="providerId")]
    message_id: Annotated[Word, Field(alias="messageId")]
    chat_id: Annotated[Word | None, AbsentIfEmpty, Field(alias="chatId")] = None
    text: Annotated[str, _if_null(""), Field(alias="message", max_length=LONGEST_TEXT)] = ""
    # People fill in these three on a contact's card: a text that names nobody counts as empty.
    phone: Annotated[str | None, BeforeValidator(_phone), Field(alias="contactPhone")] = None
    username: Annotated[str | None, BeforeValidator(_username), Field(alias="telegramUserName")] = (
        None
    )
    user_id: Annotated[
        Annotated[int, Field(gt=0, lt=2**52)] | None,
        BeforeValidator(_user_id),
        Field(alias="telegramUserId"),
    ] = None
    attachments: Annotated[tuple[NamedLink, ...], _if_null(()), Field(max_length=MOST_FILES)] = ()

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if not self.text.strip() and not self.attachments:
            raise ValueError("a message needs a text or an attachment")
        return self

    @model_validator(mode="after")
    def names_somebody(self) -> Self:
        if not any((self.chat_id, self.user_id, self.username, self.phone)):
            raise ValueError(
                "without chatId, a valid telegramUserId, telegramUserName or contactPhone is required"
            )
        return self

    def as_draft(self) -> OutgoingMessage:
        return OutgoingMessage(
            planfix_id=self.message_id,
            text=self.text,
            attachments=tuple(each.as_draft() for each in self.attachments),
            chat_id=self.chat_id,
            user_id=self.user_id,
            username=self.username,
            phone=self.phone,
        )


def read_call(fields: dict[str, Any]) -> PlanfixMessage:
    """Validate a call; report errors in the form that Planfix documents."""
    try:
        return PlanfixMessage.model_validate(fields)
    except ValidationError as exc:
        raise invalid_parameters(exc) from exc


def invalid_parameters(reason: ValidationError | str) -> ApiError:
    detail = reason if isinstance(reason, str) else invalid_fields(reason).detail
    return ApiError(400, "Invalid parameters", detail)


def as_planfix_says(error: ApiError) -> ApiError:
    """Give the two errors that Planfix documents the texts from its documentation."""
    match error.status:
        case 400:
            return ApiError(400, "Invalid parameters", error.detail)
        case 401:
            return ApiError(401, "Invalid token", "the token does not belong to this number")
        case _:
            return error


def collect_fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Collect the fields of a form; only attachments may repeat."""
    fields: dict[str, Any] = {}
    columns: dict[str, list[str]] = {"name": [], "url": []}
    for name, value in pairs:
        found = _ATTACHMENT.fullmatch(name)
        if found:
            columns[found[2]] += value if isinstance(value, list) else [value]
        elif name in fields:
            raise invalid_parameters(f"{name[:LONGEST_NAME]} is given more than once")
        else:
            fields[name] = value
    if columns["url"] or columns["name"]:
        fields["attachments"] = _zip(**columns)
    return fields


def _zip(name: list[str], url: list[str]) -> list[dict[str, str]]:
    """Pair names with links by position; a name without a link is an error."""
    if len(name) > len(url):
        raise invalid_parameters("an attachment has a name but no link")
    names = name + [""] * (len(url) - len(name))
    return [{"name": n, "url": u} for n, u in zip(names, url, strict=True)]


class AcceptedAnswer(Answer):
    """The message is stored and will be sent in this chat."""

    chat_id: str = Field(alias="chatId")
    contact_id: str = Field(alias="contactId")


blueprint = Blueprint("message", __name__, url_prefix="/webhook")


@blueprint.post("/message")
@tag(["planfix"])
@document_request(PlanfixMessage)
@document_response(AcceptedAnswer)
async def post_message() -> Response:
    """Accept a message that an employee wrote in Planfix."""
    try:
        fields = collect_fields(await read_pairs(request, LARGEST_CALL, MOST_FIELDS))
        number = await _admit(fields)
    except ApiError as exc:
        raise as_planfix_says(exc) from exc
    draft, shared = read_call(fields).as_draft(), context()
    try:
        accepted = await shared.work.run(shared.gateway.messages.accept(number, draft))
    except (MessageEmpty, MessageTooLarge, RecipientUnknown) as exc:
        raise invalid_parameters(str(exc)) from exc
    return respond(AcceptedAnswer(chatId=accepted.chat_id, contactId=accepted.contact_id))


async def _admit(fields: dict[str, Any]) -> str:
    """Return the number that the call names, if its key is valid for that number."""
    channel = fields.get("channel")
    if channel in (None, ""):
        return await _require_key(fields, None)
    try:
        meant = normalise_number(channel)
    except ValueError as exc:
        # Only a caller with a valid key learns what is wrong with the call.
        await _require_key(fields, None)
        raise invalid_parameters("channel must be a phone number") from exc
    return await _require_key(fields, meant)


async def _require_key(fields: dict[str, Any], channel: str | None) -> str:
    authenticator, token = context().authenticator, fields.get("token")
    if not token:
        return await authenticator.admit_channel(request, channel)
    if not isinstance(token, str):
        raise unauthorized()
    return await authenticator.require_token(request, token, channel)
