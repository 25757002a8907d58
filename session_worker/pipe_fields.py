"""The kinds of field a message on the pipe is made of, each with its bounds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, FailFast, Field

LONGEST_TEXT = 64 * 1024  # characters; a comment of Planfix holds no more
LONGEST_DETAIL = 1000  # characters
LONGEST_NAME = 256  # characters; Telegram's longest full name has 129
LONGEST_LABEL = 128  # characters
LONGEST_PHONE = 32  # characters
MOST_IDS = 1000  # messages that one event may be about
MOST_FILES = 100  # of one message; an album has ten
MOST_PARTS = 1000  # of one outgoing message
MOST_ENTITIES = 500  # in one event
LAST_MOMENT = 253_402_214_400.0  # the last day that a calendar has, in every time zone
_LONGEST_TIME = 1e10  # seconds
_CUT = "…"


def sound(value: Any) -> Any:
    """Take out what no database keeps: NUL, halves of characters that have lost the other half."""
    if not isinstance(value, str):
        return value
    if "\0" in value:
        value = value.replace("\0", "")
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _fitting(longest: int) -> BeforeValidator:
    """Cut what is too long: it is for people to read, and the rest of the event has to arrive."""

    def fit(value: Any) -> Any:
        value = sound(value)
        if isinstance(value, str) and len(value) > longest:
            return value[: longest - 1] + _CUT
        return value

    return BeforeValidator(fit)


def _printable(text: str) -> str:
    """Leave no line break or escape in what gets into logs."""
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


Sound = Annotated[str, BeforeValidator(sound)]
"""Text of any length, in commands: they come from the gateway itself."""

Text = Annotated[str, _fitting(LONGEST_TEXT), Field(max_length=LONGEST_TEXT)]
Detail = Annotated[str, _fitting(LONGEST_DETAIL), Field(max_length=LONGEST_DETAIL)]
Name = Annotated[str, _fitting(LONGEST_NAME), Field(max_length=LONGEST_NAME)]
Label = Annotated[
    str, _fitting(LONGEST_LABEL), Field(max_length=LONGEST_LABEL), AfterValidator(_printable)
]
Phone = Annotated[str, _fitting(LONGEST_PHONE), Field(max_length=LONGEST_PHONE)]
# Never cut: a part of an address leads somewhere else.
Host = Annotated[str, BeforeValidator(sound), Field(max_length=255)]
QrLink = Annotated[str, Field(max_length=1024, pattern=r"^tg://login\?token=[A-Za-z0-9_=-]+$")]

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Moment = Annotated[float, Field(ge=0.0, le=LAST_MOMENT, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=-_LONGEST_TIME, le=_LONGEST_TIME, allow_inf_nan=False)]

Ids = Annotated[tuple[Int64, ...], FailFast(), Field(max_length=MOST_IDS)]
