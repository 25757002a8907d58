"""The kinds of field that a message on the pipe is made of, each with its bounds."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, PlainSerializer

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


LONGEST_TEXT = 64 * 1024  # characters; the longest comment of Planfix
LONGEST_DETAIL = 1000  # characters
LONGEST_NAME = 256  # characters; Telegram's longest full name has 129
LONGEST_LABEL = 128  # characters
LONGEST_PHONE = 32  # characters
MOST_IDS = 1000  # messages that one event may concern
MOST_FILES = 100  # of one message; an album has ten
MOST_PARTS = 1000  # of one outgoing message
MOST_ENTITIES = 500  # in one event
MOST_LINES = 100  # of a log, in one event
LAST_MOMENT = 253_402_214_400.0  # the last day that a calendar can show in every time zone
_LONGEST_TIME = 1e10  # seconds
_CUT = "…"


def _fitting(longest: int | None = None, *, is_label: bool = False) -> BeforeValidator:
    """Repair and shorten a text, because an event must arrive, however people name themselves or files."""

    def fit(value: Any) -> Any:  # called for each text of each message, so it does little itself
        if not isinstance(value, str):
            return value
        if "\0" in value or not (value.isascii() or _is_whole(value)):
            value = _repaired(value)
        if is_label and not value.isprintable():
            value = "".join(filter(str.isprintable, value))  # no line break may reach a log
        if longest is not None and len(value) > longest:
            return value[: longest - 1] + _CUT
        return value

    return BeforeValidator(fit)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _repaired(text: str) -> str:
    """Remove what no database stores: NUL characters and surrogate halves without their other half."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


CommandText = Annotated[str, _fitting()]
"""Text of any length, for commands, which come from the gateway itself."""

Text = Annotated[str, _fitting(LONGEST_TEXT), Field(max_length=LONGEST_TEXT)]
Detail = Annotated[str, _fitting(LONGEST_DETAIL), Field(max_length=LONGEST_DETAIL)]
Name = Annotated[str, _fitting(LONGEST_NAME), Field(max_length=LONGEST_NAME)]
Label = Annotated[str, _fitting(LONGEST_LABEL, is_label=True), Field(max_length=LONGEST_LABEL)]
Phone = Annotated[str, _fitting(LONGEST_PHONE), Field(max_length=LONGEST_PHONE)]
# Never shortened, because a part of an address leads somewhere else.
Host = Annotated[str, _fitting(), Field(max_length=255)]
QrLink = Annotated[str, Field(max_length=1024, pattern=r"^tg://login\?token=[A-Za-z0-9_=-]+$")]

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Moment = Annotated[float, Field(ge=0.0, le=LAST_MOMENT, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=-_LONGEST_TIME, le=_LONGEST_TIME, allow_inf_nan=False)]

Ids = Annotated[tuple[Int64, ...], FailFast(), Field(max_length=MOST_IDS)]
