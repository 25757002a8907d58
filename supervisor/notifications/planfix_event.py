"""Reads what a script of Planfix sends about a task, however it is written."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus, urlsplit

from session_worker.formatting.markup import unescape
from supervisor.errors import AddressMalformed
from supervisor.notifications.formatting.default_templates import OTHER_EVENT, event_names
from supervisor.notifications.notice import Button, Keyboard, Rejected
from supervisor.notifications.recipients import Address, parse_loosely, parse_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MOST_RECIPIENTS = 100
LONGEST_FIELD = 64 * 1024  # characters; a comment has no more
LONGEST_TEXT, LONGEST_NAME = 56_000, 1_000  # characters; all of them fit into a notification
REPEATED_WITHIN = 4 * 3600.0  # seconds; Planfix repeats a call that failed for almost three hours
_VARIABLE = re.compile(r"\{\{[^{}]*\}\}")
_FENCE = "```"
_LANGUAGE = re.compile(r"\w*")
_QUOTED_LIST = re.compile(r'"(\[[^\[\]]*\])"')
_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6]|blockquote)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BLANK_LINES = re.compile(r"\n\s*\n\s*\n+")
_LINK = re.compile(r"(?i:https?)://[^\s/?#]+\S*")
_NAMES: Final = ("title", "author", "status", "due", "assignee")
_NUMBER = re.compile(r"[0-9]{1,12}")
_OPEN: Final[Mapping[str, str]] = {"en": "Open", "ru": "Открыть", "uk": "Відкрити"}
_ANSWER: Final[Mapping[str, str]] = {"en": "Answer", "ru": "Ответить", "uk": "Відповісти"}
ANSWER_PREFIX = "planfix:"
"""Begins the data of a button with which a person answers in a task."""

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlanfixEvent:
    """Something that happened to a task, and whom the account wants to notify of it."""

    event: str
    task: str
    comment: str
    fields: Mapping[str, str]
    recipients: tuple[Address, ...]
    rejected: tuple[Rejected, ...]
    unknown_variables: tuple[str, ...]
    given: str = ""
    """The fields as JSON, from which the event can be read again."""

    @property
    def template(self) -> str:
        return self.event if self.event in event_names() else OTHER_EVENT

    @property
    def is_comment(self) -> bool:
        return self.event == "comment.added"

    @property
    def may_be_comment(self) -> bool:
        """Whether a comment was added, as far as the name of the event tells."""
        return self.is_comment or self.template == OTHER_EVENT

    def dedup_key(self, now: float) -> str:
        """Return a key that a repeated call has as well.

        The same task may be assigned to one person after another, and a comment may come together
        with another status: those are other events.
        """
        if self.comment and self.is_comment:
            return f"planfix:comment:{self.task}:{self.comment}"
        digest = hashlib.sha256(self.given.encode()).hexdigest()[:32]
        return f"planfix:{digest}:{int(now // REPEATED_WITHIN)}"


def own_comment_key(task: str, comment: str) -> str:
    """Return a key for a comment that the bot itself has written."""
    return f"planfix:own:{task}:{comment}"


def text_key(task: str, text: str, now: float) -> str:
    """Return a key for a comment whose id is not known yet, made from its text."""
    words = " ".join(plain_text(text).split())
    digest = hashlib.sha256(f"{task}:{words}".encode()).hexdigest()[:32]
    return f"planfix:own:{digest}:{int(now // REPEATED_WITHIN)}"


def repair_json(text: str) -> Fields | None:
    """Read JSON that a script has put together; return None if it cannot be read.

    The caller's key is in the text, so strangers may send anything. The time that this takes is
    therefore proportional to the length of the text.
    """
    text = _without_fence(text.strip().lstrip("\ufeff"))
    unquoted = _QUOTED_LIST.sub(r"\1", text)
    for candidate in (text, unquoted, unquoted + "}", _without_trailing_commas(unquoted)):
        try:
            found = json.loads(candidate, strict=False)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return {_sound(name): _sound(value) for name, value in found.items()}
    return _salvaged(unquoted)


def read_event(fields: Mapping[str, Any]) -> PlanfixEvent:
    """Read the fields; what cannot be understood is left out and is never an error."""
    unknown: list[str] = []
    known = {name: fields[name] for name in fields if name in _FIELDS and name != "token"}
    texts = {name: _text(value, unknown) for name, value in known.items()}
    if texts.get("enc", "").lower() == "url":
        texts = {name: unquote_plus(value) for name, value in texts.items()}
    recipients, rejected = _recipients(texts)
    task = _number(texts.get("task", ""))
    shown = {
        "task": task,
        **{name: plain_text(texts.get(name, "")) for name in (*_NAMES, "text")},
        "link": texts.get("link", "").strip(),
    }
    event = texts.get("event", "").strip().lower()[:64]
    comment = _number(texts.get("comment", ""))
    found = tuple(dict.fromkeys(unknown))
    texts.pop("enc", None)  # the fields are decoded now
    given = json.dumps(texts, ensure_ascii=False, sort_keys=True)
    return PlanfixEvent(event, task, comment, shown, recipients, rejected, found, given)


def keyboard_of(
    event: PlanfixEvent, url_planfix: str, language: str, *, can_answer: bool
) -> Keyboard | None:
    """Make the buttons: one opens the task, one answers in it."""
    link = event.fields["link"] or task_link(url_planfix, event.task, event.comment)
    row = []
    if _LINK.fullmatch(link) and len(link) <= 2048:
        row.append(Button(text=_OPEN.get(language, _OPEN["en"]), url=link))
    if can_answer and event.task:
        data = f"{ANSWER_PREFIX}{event.task}"
        row.append(Button(text=_ANSWER.get(language, _ANSWER["en"]), data=data))
    return Keyboard(rows=(tuple(row),)) if row else None


def task_link(url_planfix: str, task: str, comment: str = "") -> str:
    """Return the address of a task in the account's web page."""
    parts = urlsplit(url_planfix)
    if not (parts.netloc and task):
        return ""
    place = f"?comment={comment}" if comment else ""
    return f"{parts.scheme}://{parts.netloc}/task/{task}{place}"


def plain_text(text: str) -> str:
    """Show the HTML of a comment as a plain text."""
    text = _BREAK.sub("\n", text.replace("\r", ""))
    text = unescape(_TAG.sub("", text)).replace("\xa0", " ").replace("\0", "")
    return _BLANK_LINES.sub("\n\n", text).strip()[:LONGEST_FIELD]


def fitting(fields: Mapping[str, str]) -> dict[str, str]:
    """Shorten the fields that would make a notification too long."""
    most = dict.fromkeys(_NAMES, LONGEST_NAME) | {"text": LONGEST_TEXT}
    return {
        name: f"{text[: most[name] - 1]}…" if len(text) > most.get(name, len(text)) else text
        for name, text in fields.items()
    }


def _sound(value: Any) -> Any:
    """Replace halves of surrogate pairs, which JSON can name and nothing can store."""
    if isinstance(value, list):
        return [each if isinstance(each, list) else _sound(each) for each in value]
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _text(value: Any, unknown: list[str]) -> str:
    """Return a value as text, lists joined with commas; a variable that Planfix did not know is empty."""
    if isinstance(value, list):
        texts = (_text(each, unknown) for each in value if not isinstance(each, list))
        return ",".join(filter(None, texts))
    if value is None or isinstance(value, dict | bool):
        return ""
    text = str(value)[:LONGEST_FIELD].replace("\0", "")
    unknown += _VARIABLE.findall(text)
    return _VARIABLE.sub("", text).strip()


def _recipients(texts: Mapping[str, str]) -> tuple[tuple[Address, ...], tuple[Rejected, ...]]:
    found: list[Address] = []
    rejected: list[Rejected] = []
    for parse, written in islice(_written(texts), 2 * MOST_RECIPIENTS):
        try:
            found.append(parse(written))
        except AddressMalformed as error:
            rejected.append(Rejected(to=written[:100], code="invalid_recipient", detail=str(error)))
    return tuple(found[:MOST_RECIPIENTS]), tuple(rejected[:MOST_RECIPIENTS])


def _written(texts: Mapping[str, str]) -> Iterator[tuple[Callable[[str], Address], str]]:
    parsers: dict[str, Callable[[str], Address]] = {
        "telegramUserId": parse_loosely,
        "telegramUserName": parse_loosely,
        "contactPhone": parse_phone,
    }
    for name, parse in parsers.items():
        for part in re.split(r"[,;\n\[\]\"]+", texts.get(name, "")):
            if part.strip():
                yield parse, part.strip()


def _number(text: str) -> str:
    found = _NUMBER.search(text)
    return found[0] if found else ""


def _without_trailing_commas(text: str) -> str:
    return re.sub(r",\s*([}\]])", r"\1", text)


def _without_fence(text: str) -> str:
    """Take JSON out of the fence of a block of code in Markdown."""
    if not (text.startswith(_FENCE) and text.endswith(_FENCE)):
        return text
    fenced = text.removeprefix(_FENCE).removesuffix(_FENCE)
    return _LANGUAGE.sub("", fenced, count=1).strip()


_FIELDS = (
    *("event", "task", "comment", "title", "status", "author", "assignee", "due", "link", "text"),
    *("enc", "token", "telegramUserName", "telegramUserId", "contactPhone"),
)
_FIELD = re.compile(rf'(?P<comma>,\s*)?"(?P<name>{"|".join(_FIELDS)})"\s*:\s*')
_LIST_OR_NUMBER = re.compile(r"\[[^\[\]]*\]|-?\d+")


def _salvaged(text: str) -> Fields | None:
    """Take the simple fields out of JSON that is broken by a text with quotes in it.

    A text ends with the first quotation mark after which another field follows, or nothing.
    """
    text = text.rstrip().removesuffix("}").rstrip()
    fields = list(_FIELD.finditer(text))
    ends = [_end_before(text, each.start()) for each in fields if each["comma"]] + [len(text)]
    ends_of_texts = [end for end in ends if text[end - 1 : end] == '"']
    found: Fields = {}
    read_up_to = 0
    for field in fields:
        start = field.end()
        if field.start() < read_up_to:
            continue  # it is inside the text of the previous field
        if text.startswith('"', start):
            if end := _first_after(start + 1, ends_of_texts):
                found[field["name"]], read_up_to = text[start + 1 : end - 1], end
        elif value := _LIST_OR_NUMBER.fullmatch(text, start, _first_after(start, ends)):
            found[field["name"]] = value[0]
    return found or None


def _end_before(text: str, place: int) -> int:
    """Return where the text before this place ends, without the spaces behind it."""
    while place and text[place - 1].isspace():
        place -= 1
    return place


def _first_after(start: int, places: list[int]) -> int:
    """Return the first of these places after the start, or 0."""
    place = bisect_right(places, start)
    return places[place] if place < len(places) else 0
