"""Renders Liquid templates within limits, and names the field that is missing."""

from __future__ import annotations

import functools
import re
import time
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from liquid import BoundTemplate, Environment, FalsyStrictUndefined, Undefined
from liquid.exceptions import LiquidError, ResourceLimitError, UndefinedError

from supervisor.errors import FieldMissing, TemplateInvalid, TemplateTooCostly
from supervisor.notifications.formatting.html_parser import parse_html
from supervisor.notifications.formatting.markdown_parser import escape_markdown, parse_markdown
from supervisor.notifications.formatting.marked_text import MarkedText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LONGEST_TEMPLATE = 10_000  # characters
LONGEST_VALUE = 64_000  # characters of one text in the data
MOST_VALUES = 2000  # in the data, at all depths
DEEPEST_DATA = 8


class TextFormat(StrEnum):
    """How the marks of a text are written."""

    PLAIN = "plain"
    HTML = "html"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Template:
    """A named text with places to be filled in."""

    text: str
    format: TextFormat = TextFormat.PLAIN
    language: str = ""


class _Limited(Environment):
    """Liquid that stops an endless template, and has only filters whose results can be bounded."""

    loop_iteration_limit: ClassVar[int] = 1000
    output_stream_limit: ClassVar[int] = 131_072
    local_namespace_limit: ClassVar[int] = 20_000
    context_depth_limit: ClassVar[int] = 20

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.filters = {name: _guarded(name, self.filters[name]) for name in _FILTERS}
        for name in _DROPPED_TAGS:
            del self.tags[name]


_FILTERS = [
    "abs",
    "append",
    "at_least",
    "at_most",
    "capitalize",
    "ceil",
    "compact",
    "date",
    "default",
    "divided_by",
    "downcase",
    "escape",
    "escape_once",
    "first",
    "floor",
    "join",
    "last",
    "lstrip",
    "map",
    "minus",
    "modulo",
    "newline_to_br",
    "plus",
    "prepend",
    "remove",
    "remove_first",
    "replace",
    "replace_first",
    "reverse",
    "round",
    "rstrip",
    "size",
    "slice",
    "sort",
    "split",
    "strip",
    "strip_html",
    "strip_newlines",
    "times",
    "truncate",
    "truncatewords",
    "upcase",
    "url_encode",
    "where",
]
_DROPPED_TAGS = ("include", "render", "tablerow")
_DEADLINE: ContextVar[float] = ContextVar("deadline")
MOST_SECONDS = 0.25
_LONGEST_RESULT = 131_072  # characters
_LONGEST_LIST = 2000
_LARGEST_NUMBER = 1e18
_OPENING = re.compile(r"(\{[{%])")
_ENDS = {"{{": "}}", "{%": "%}"}
_LONGEST_BLANK = 100  # characters within a tag
_LONG_BLANK = re.compile(rf"\s{{{_LONGEST_BLANK + 1}}}")
_WIDTH = re.compile(r"%[^a-zA-Z%]*\d")


def _guarded(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """Check what goes into a filter and what comes out; a filter alone could take all memory."""

    @functools.wraps(run)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if time.monotonic() > _DEADLINE.get():
            raise TemplateTooCostly(f"more than {MOST_SECONDS} s")
        for arg in args:
            _check_size(arg)
        texts = [str(arg) for arg in args if not isinstance(arg, Undefined)]
        if name == "date" and (len(texts[0]) > 100 or _WIDTH.search(texts[-1])):
            raise TemplateTooCostly("a date or its format")
        if name.startswith("replace") and len(texts) > 2:
            found = texts[0].count(texts[1]) if texts[1] else len(texts[0]) + 1
            _check_length(len(texts[0]) + found * len(texts[2]))
        if name == "join":
            items = len(args[0]) if isinstance(args[0], list) else 0
            _check_length(len(texts[0]) + items * len(texts[-1]))
        result = run(*args, **kwargs)
        _check_size(result)
        return result

    return guarded


def _check_length(length: int) -> None:
    if length > _LONGEST_RESULT:
        raise TemplateTooCostly(f"a text of more than {_LONGEST_RESULT} characters")


def _check_size(value: Any) -> None:
    match value:
        case str():
            _check_length(len(value))
        case range() | list() | tuple() if len(value) > _LONGEST_LIST:
            raise TemplateTooCostly(f"a list of more than {_LONGEST_LIST} values")
        case int() | float() | Decimal() if not abs(float(value)) < _LARGEST_NUMBER:
            raise TemplateTooCostly(f"a number of more than {_LARGEST_NUMBER}")
        case _:
            pass


class _Missing(FalsyStrictUndefined):
    """A field that the data does not have: it can be asked about or replaced, but not written."""

    __slots__ = ()
    __hash__ = FalsyStrictUndefined.__hash__
    force_liquid_default = True


_PLAIN = _Limited(undefined=_Missing)
_HTML = _Limited(undefined=_Missing, autoescape=True)


def render_template(template: Template, data: Mapping[str, Any]) -> MarkedText:
    """Fill the data in; raise FieldMissing, TemplateInvalid or TemplateTooCostly if that fails."""
    _check_data(data)
    if template.format is TextFormat.MARKDOWN:
        data = _escaped(data)
    _DEADLINE.set(time.monotonic() + MOST_SECONDS)
    try:
        source = _parsed(template.text, template.format is TextFormat.HTML).render(**data)
    except UndefinedError as error:
        raise FieldMissing(_field_of(error)) from error
    except ResourceLimitError as error:
        raise TemplateTooCostly(type(error).__name__) from error
    except (LiquidError, ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise TemplateInvalid(_first_line(error)) from error
    return read_text(source, template.format)


def check_template(template: Template) -> None:
    """Raise TemplateInvalid or TemplateTooCostly for a text that could never be rendered."""
    try:
        _parsed(template.text, template.format is TextFormat.HTML)
    except (LiquidError, RecursionError) as error:
        raise TemplateInvalid(_first_line(error)) from error


def read_text(text: str, text_format: TextFormat) -> MarkedText:
    """Read a text in its format; raise MarkupInvalid if it is not written in it."""
    text = text.replace("\r\n", "\n")
    match text_format:
        case TextFormat.HTML:
            return parse_html(text).stripped()
        case TextFormat.MARKDOWN:
            return parse_markdown(text).stripped()
        case TextFormat.PLAIN:
            return MarkedText(text).stripped()


@functools.lru_cache(maxsize=256)
def _parsed(text: str, is_html: bool) -> BoundTemplate:
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateTooCostly(f"more than {LONGEST_TEMPLATE} characters")
    for tag in _tags_of(text):
        if ".." in tag:
            raise TemplateTooCostly("a range, as in (1..9); loop over a list of the data")
        if _LONG_BLANK.search(tag):
            raise TemplateTooCostly(f"more than {_LONGEST_BLANK} blanks in a tag")
    return (_HTML if is_html else _PLAIN).from_string(text)


def _tags_of(text: str) -> Iterator[str]:
    """Return what is in the tags; raise TemplateInvalid if one has no end before the next begins.

    The library looks for the end of each tag up to the end of the text, which can take very long.
    """
    _, *parts = _OPENING.split(text)
    for opening, inside in zip(parts[::2], parts[1::2], strict=True):
        tag, end, _ = inside.partition(_ENDS[opening])
        if not end:
            raise TemplateInvalid(f"a tag has no end: {opening}{inside[:50]}")
        yield tag


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def _field_of(error: UndefinedError) -> str:
    """Return the name in `'name' is undefined`, or in `a.name is undefined`."""
    message = str(error.args[0]).splitlines()[0]
    return message.removesuffix(" is undefined").strip("'")[:100]


def _check_data(data: Any, depth: int = 0, budget: list[int] | None = None) -> None:
    budget = [MOST_VALUES] if budget is None else budget
    budget[0] -= 1
    if depth > DEEPEST_DATA or budget[0] < 0:
        raise TemplateTooCostly("the data has too many values or is nested too deeply")
    match data:
        case str() if len(data) > LONGEST_VALUE:
            raise TemplateTooCostly(f"a text has more than {LONGEST_VALUE} characters")
        case dict():
            for value in data.values():
                _check_data(value, depth + 1, budget)
        case list():
            for value in data:
                _check_data(value, depth + 1, budget)
        case _:
            pass


def _escaped(data: Any) -> Any:
    match data:
        case str():
            return escape_markdown(data)
        case dict():
            return {name: _escaped(value) for name, value in data.items()}
        case list():
            return [_escaped(value) for value in data]
        case _:
            return data
