"""Reads the parameters of the Bot API: from the query, from JSON, from a form, with or without files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import RequestEntityTooLarge

from api.bot_api.answers import KINDS, BotApiError, bad_request
from api.bot_api.multipart import read_form
from supervisor.errors import AddressMalformed, MarkupInvalid
from supervisor.notifications.formatting.html_parser import parse_html
from supervisor.notifications.formatting.markdown_parser import Dialect, parse_markdown
from supervisor.notifications.formatting.marked_text import MarkedText
from supervisor.notifications.notice import Button, Keyboard, Mark, beside_loop
from supervisor.notifications.recipients import Address, parse_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quart import Request

    from api.bot_api.multipart import Open, Received

LARGEST_NUMBER = 2**31 - 1
LARGEST_KEYBOARD = 256 << 10  # bytes, as it is stored; Telegram takes some hundred buttons
_ID = re.compile(r"[0-9]{1,19}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIALECTS = {"markdown": Dialect.LEGACY, "markdownv2": Dialect.STRICT}


class Parameters:
    """The parameters of one call."""

    def __init__(self, values: dict[str, Any], uploads: Mapping[str, Received]) -> None:
        self._values = values
        self._uploads = uploads

    def text(self, name: str) -> str:
        value = self._values.get(name, "")
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str) -> int | None:
        """Return a number; raise BotApiError if something else is given."""
        value = self.text(name).strip()
        if not value:
            return None
        if not re.fullmatch(r"-?[0-9]{1,16}", value):
            raise bad_request(f"parameter {name} must be a number")
        return max(-LARGEST_NUMBER, min(int(value), LARGEST_NUMBER))

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() in {"true", "1", "yes"}

    def json(self, name: str) -> Any:
        """Return a value that forms carry as JSON."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else None
        except (ValueError, RecursionError) as exc:
            raise bad_request(f"can't parse {name} JSON object") from exc

    def file(self, name: str) -> Received | str:
        """Return the file that came with the call, or the address of one."""
        value = self.text(name).strip()
        upload = self._uploads.get(value.removeprefix("attach://") or name)
        if upload is None:
            upload = self._uploads.get(name)
        if upload is not None:
            return upload
        if not value:
            raise bad_request(f"there is no {name} in the request")
        return value

    @property
    def address(self) -> Address:
        """Return the chat, and its topic if one is named."""
        written = self.text("chat_id").strip()
        if not written:
            raise bad_request("chat_id is empty")
        try:
            address = parse_address(f"chat:{written}" if written.startswith("-") else written)
        except AddressMalformed as exc:
            raise bad_request("chat not found") from exc
        topic = self.number("message_thread_id")
        return Address(address.written, address.kind, address.value, topic)

    @property
    def without_preview(self) -> bool:
        """Whether no preview of a link is wanted, said in the present or in the earlier way."""
        options = self.json("link_preview_options")
        if options is None:
            return self.flag("disable_web_page_preview")
        if not isinstance(options, dict):
            raise bad_request("object expected as link preview options")
        return options.get("is_disabled") is True

    @property
    def reply_to(self) -> int | None:
        reply = self.json("reply_parameters")
        if reply is None:
            return self.number("reply_to_message_id")
        if not isinstance(reply, dict):
            raise bad_request("object expected as reply parameters")
        number = reply.get("message_id")
        if not isinstance(number, int) or not 0 < number <= LARGEST_NUMBER:
            raise bad_request("can't parse reply parameters: message_id must be a number")
        return number

    def marked(self, name: str) -> MarkedText:
        """Return a text with the marks that are written in it, or listed beside it."""
        text = self.text(name).replace("\r\n", "\n")
        mode = self.text("parse_mode").strip().lower()
        try:
            if mode == "html":
                return parse_html(text).stripped()
            if mode in _DIALECTS:
                return parse_markdown(text, _DIALECTS[mode]).stripped()
        except MarkupInvalid as exc:
            raise bad_request(f"can't parse entities: {exc.detail}") from exc
        if mode:
            raise bad_request("unsupported parse_mode")
        listed = self.json("entities" if name == "text" else f"{name}_entities")
        # Listed marks count the line ends as they came.
        return MarkedText(self.text(name) if listed else text, _marks(listed)).stripped()

    @property
    def keyboard(self) -> Keyboard | None:
        """Return the buttons; raise BotApiError if they are malformed."""
        markup = self.json("reply_markup")
        if markup is None:
            return None
        if not isinstance(markup, dict):
            raise bad_request("object expected as reply markup")
        try:
            keyboard = _keyboard(markup)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise bad_request("can't parse reply markup") from exc
        if keyboard is not None and len(keyboard.model_dump_json()) > LARGEST_KEYBOARD:
            raise bad_request("reply markup is too long")
        return keyboard

    async def discard_files(self) -> None:
        """Delete the files that no message needs."""
        for file in self._uploads.values():
            if not file.upload.is_kept:
                await file.upload.discard()


async def read_parameters(request: Request, open_upload: Open) -> Parameters:
    """Read the parameters of the query and of the body; those of the body take precedence."""
    values: dict[str, Any] = dict(request.args)
    uploads: Mapping[str, Received] = {}
    try:
        if request.mimetype == "application/json":
            raw = await request.get_data() or b"{}"
            body = await beside_loop(len(raw), json.loads, raw)
            if not isinstance(body, dict):
                raise bad_request("object expected")
            values |= body
        elif request.mimetype == "multipart/form-data":
            form = await read_form(request, open_upload)
            values |= form.texts()
            uploads = form.files
        else:
            values |= dict(await request.form)
        await beside_loop(request.content_length or 0, _require_unicode, values)
    except RequestEntityTooLarge as exc:
        raise BotApiError(413, "Request Entity Too Large") from exc
    except (ValueError, RecursionError) as exc:
        raise bad_request("can't parse JSON object") from exc
    return Parameters(values, uploads)


def _require_unicode(value: Any) -> None:
    """Refuse half of a surrogate pair, which JSON can name and Telegram cannot be sent."""
    match value:
        case str() if _SURROGATE.search(value):
            raise bad_request("strings must be encoded in UTF-8")
        case dict():
            for each in (*value, *value.values()):
                _require_unicode(each)
        case list():
            for each in value:
                _require_unicode(each)
        case _:
            pass


def _marks(listed: Any) -> tuple[Mark, ...]:
    """Read listed entities; kinds that Telegram finds by itself are left out."""
    if not listed:
        return ()
    try:
        return tuple(
            Mark(
                kind=KINDS[each["type"]],
                offset=int(each["offset"]),
                length=int(each["length"]),
                value=_value_of(each),
            )
            for each in listed
            if each["type"] in KINDS
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as exc:
        raise bad_request("can't parse entities") from exc


def _value_of(entity: dict[str, Any]) -> str:
    """Return the link, person, emoji or language that an entity names; raise ValueError if it is missing."""
    match entity["type"]:
        case "text_link":
            value = str(entity["url"])
            is_right = bool(value.strip())
        case "text_mention":
            value = str(entity["user"]["id"])
            is_right = _ID.fullmatch(value) is not None
        case "custom_emoji":
            value = str(entity["custom_emoji_id"])
            is_right = _ID.fullmatch(value) is not None
        case _:
            value, is_right = str(entity.get("language") or ""), True
    if not is_right:
        raise ValueError(value)
    return value


def _keyboard(markup: dict[str, Any]) -> Keyboard | None:
    if "inline_keyboard" in markup:
        rows = [[_inline(each) for each in row] for row in markup["inline_keyboard"]]
        return Keyboard(rows=tuple(map(tuple, filter(None, rows)))) if any(rows) else None
    if "keyboard" in markup:
        if not all(isinstance(row, list) for row in markup["keyboard"]):
            raise ValueError(markup)
        return Keyboard(
            kind="reply",
            rows=tuple(tuple(_reply(each) for each in row) for row in markup["keyboard"]),
            fits_height=bool(markup.get("resize_keyboard")),
            hides_after_use=bool(markup.get("one_time_keyboard")),
            is_persistent=bool(markup.get("is_persistent")),
            placeholder=markup.get("input_field_placeholder"),
        )
    if markup.get("remove_keyboard"):
        return Keyboard(kind="remove")
    if markup.get("force_reply"):
        return Keyboard(kind="force_reply", placeholder=markup.get("input_field_placeholder"))
    return None


def _inline(button: dict[str, Any]) -> Button:
    web_app = button.get("web_app") or {}
    made = Button(
        text=str(button["text"]),
        url=button.get("url"),
        data=button.get("callback_data"),
        web_app=web_app.get("url"),
    )
    if made.url is None and made.data is None and made.web_app is None:
        raise ValueError(button)
    return made


def _reply(button: str | dict[str, Any]) -> Button:
    if isinstance(button, str):
        return Button(text=button)
    web_app = button.get("web_app") or {}
    return Button(
        text=str(button["text"]),
        asks_contact=bool(button.get("request_contact")),
        web_app=web_app.get("url"),
    )
