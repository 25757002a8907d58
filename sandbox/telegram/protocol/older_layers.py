"""Reads and writes TL objects as older layers define them, for clients that do not speak Telethon's layer."""

from __future__ import annotations

import copy
import inspect
import re
import struct
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from telethon.tl import TLObject, TLRequest, types
from telethon.tl.alltlobjects import LAYER, tlobjects

# As schemas are written, each line after the layers in which its definition holds.
_SCHEMA = Path(__file__).with_suffix(".tl").read_text(encoding="utf-8")
_FUNCTIONS = "---functions---"
_LINE = re.compile(r"(\d+)-(\d+) ([\w.]+)#([0-9a-f]{8}) (.*)= [\w.<>]+;")
_FIELD = re.compile(r"(\w+):(?:(flags\d?)\.(\d+)\?)?(Vector<)?([\w.#]+)>?")
_FLAGS = "#"
_VECTOR = struct.pack("<I", 0x1CB5C415)
_PYTHON_NAMES = {"self": "is_self"}
# Buttons had a constructor for each type; now they have a type, and rows of their own.
_BUTTONS = {
    "keyboardButtonRow": (types.KeyboardInlineButtonRow, None),
    "keyboardButton": (types.KeyboardButton, types.ButtonTypeDefault),
    "keyboardButtonCallback": (types.KeyboardInlineButton, types.InlineButtonTypeCallback),
    "keyboardButtonCopy": (types.KeyboardInlineButton, types.InlineButtonTypeCopy),
    "keyboardButtonRequestGeoLocation": (
        types.KeyboardButton,
        types.ButtonTypeRequestGeoLocation,
    ),
    "keyboardButtonRequestPhone": (types.KeyboardButton, types.ButtonTypeRequestPhone),
    "keyboardButtonSimpleWebView": (types.KeyboardButton, types.ButtonTypeSimpleWebView),
    "keyboardButtonSwitchInline": (types.KeyboardInlineButton, types.InlineButtonTypeSwitchInline),
    "keyboardButtonUrl": (types.KeyboardInlineButton, types.InlineButtonTypeUrl),
    "keyboardButtonWebView": (types.KeyboardInlineButton, types.InlineButtonTypeWebView),
}
# Up to this layer, a method answered with only this field of what it answers with now.
_BARE_ANSWERS_UNTIL = 178
_BARE_ANSWERS = {types.messages.InvitedUsers: "updates", types.messages.DialogFilters: "filters"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a definition; it is only there if its flag, a bit of a field of flags, is set."""

    name: str
    kind: str
    is_vector: bool
    flags: str
    bit: int


@dataclass(frozen=True, slots=True)
class Definition:
    """What an object or a request of Telethon's layer was in some older layers."""

    first: int
    last: int
    constructor: int
    cls: Any
    # The class of the type inside, for a button.
    type_cls: Any
    fields: tuple[Field, ...]

    def read(self, reader: Any) -> Any:
        """Read the fields, and return them as an object of Telethon's layer."""
        flags: dict[str, int] = {}
        values: dict[str, Any] = {}
        for field in self.fields:
            if field.kind == _FLAGS:
                flags[field.name] = reader.read_int()
            elif not field.flags or flags[field.flags] >> field.bit & 1:
                values[field.name] = _read(field, reader)
        if self.type_cls:
            values["type"] = self.type_cls(**_renewed(values, _parameters(self.type_cls)))
        return self.cls(**_renewed(values, _parameters(self.cls)))

    def write(self, thing: Any) -> bytes:
        """Write an object of Telethon's layer."""
        parts = [struct.pack("<I", self.constructor)]
        for field in self.fields:
            if field.kind == _FLAGS:
                parts.append(struct.pack("<I", self._flags_of(thing, field.name)))
            elif not field.flags or _is_there(_value(thing, field)):
                parts.append(_written(_value(thing, field), field))
        return b"".join(parts)

    def _flags_of(self, thing: Any, name: str) -> int:
        those = (f for f in self.fields if f.flags == name and _is_there(_value(thing, f)))
        return sum({1 << field.bit for field in those})


class OlderObject:
    """An object that is sent as its older definition says."""

    def __init__(self, definition: Definition, thing: Any) -> None:
        self._definition = definition
        self._thing = thing

    def __bytes__(self) -> bytes:
        return self._definition.write(self._thing)

    def _bytes(self) -> bytes:
        return bytes(self)


def find(constructor: int) -> Definition | None:
    """Return the older definition with this constructor."""
    return _all_definitions().get(constructor)


def rewrite(thing: Any, layer: int | None) -> Any:
    """Replace every object inside that the layer defines in another way."""
    if layer is None or layer >= LAYER:
        return thing
    return _rewritten(thing, layer)


def _rewritten(thing: Any, layer: int) -> Any:
    if isinstance(thing, list):
        items = [_rewritten(item, layer) for item in thing]
        return items if any(a is not b for a, b in zip(items, thing, strict=True)) else thing
    if not isinstance(thing, TLObject):
        return thing
    if layer <= _BARE_ANSWERS_UNTIL and (bare := _BARE_ANSWERS.get(type(thing))):
        return _rewritten(getattr(thing, bare), layer)
    inside = {name: _rewritten(value, layer) for name, value in vars(thing).items()}
    if any(value is not getattr(thing, name) for name, value in inside.items()):
        thing = copy.copy(thing)
        vars(thing).update(inside)
    definition = _definitions_in(layer).get(_kind_of(thing))
    return OlderObject(definition, thing) if definition else thing


@cache
def _all_definitions() -> dict[int, Definition]:
    classes = {_key(cls): cls for cls in tlobjects.values()}
    found, is_request = {}, False
    for line in _SCHEMA.splitlines():
        is_request = is_request or line == _FUNCTIONS
        if match := _LINE.fullmatch(line):
            first, last, name, constructor, fields = match.groups()
            cls, type_cls = _BUTTONS.get(name) or (classes[is_request, *_spelling(name)], None)
            number, known = int(constructor, 16), _fields(fields)
            found[number] = Definition(int(first), int(last), number, cls, type_cls, known)
    return found


@cache
def _definitions_in(layer: int) -> dict[tuple[Any, Any], Definition]:
    those = (each for each in _all_definitions().values() if each.first <= layer <= each.last)
    return {(each.cls, each.type_cls): each for each in those}


def _kind_of(thing: Any) -> tuple[Any, Any]:
    is_button = isinstance(thing, types.KeyboardButton | types.KeyboardInlineButton)
    return type(thing), type(thing.type) if is_button else None


def _fields(text: str) -> tuple[Field, ...]:
    return tuple(
        Field(name, kind, bool(vector), flags or "", int(bit or 0))
        for name, flags, bit, vector, kind in _FIELD.findall(text)
    )


def _key(cls: Any) -> tuple[bool, str, str]:
    """Return the key by which a class is found, since Telethon spells names in another way than schemas."""
    is_request, family = issubclass(cls, TLRequest), cls.__module__.split(".")[3:]
    name = cls.__name__.removesuffix("Request") if is_request else cls.__name__
    return is_request, "".join(family), name.lower()


def _spelling(name: str) -> tuple[str, str]:
    family, _, bare = name.rpartition(".")
    return family, bare.replace("_", "").lower()


@cache
def _parameters(cls: Any) -> dict[str, tuple[str, bool]]:
    """Return the annotation of each parameter, and whether it is required."""
    parameters = inspect.signature(cls).parameters.values()
    return {p.name: (str(p.annotation), p.default is inspect.Parameter.empty) for p in parameters}


def _renewed(values: dict[str, Any], parameters: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    """Give old values the names and the types that they have now, and leave out what has gone."""
    renewed = {}
    for name, (annotation, is_required) in parameters.items():
        value = values.get(name)
        if name == "reply_to" and "reply_to_msg_id" in values:
            value = types.InputReplyToMessage(values["reply_to_msg_id"], values.get("top_msg_id"))
        elif value is None:
            value = [] if is_required and "List" in annotation else None
        elif "KeyboardInlineButtonRow" in annotation:
            value = [types.KeyboardInlineButtonRow(row.buttons) for row in value]
        elif "TextWithEntities" in annotation and isinstance(value, str):
            value = types.TextWithEntities(value, [])
        elif "datetime" in annotation:
            value = datetime.fromtimestamp(value).astimezone() if value else None
        renewed[name] = 0 if value is None and is_required and "int" in annotation else value
    return renewed


def _read(field: Field, reader: Any) -> Any:
    if not field.is_vector:
        return _read_value(field.kind, reader)
    reader.read_int()
    return [_read_value(field.kind, reader) for _ in range(reader.read_int())]


def _read_value(kind: str, reader: Any) -> Any:
    match kind:
        case "true":
            return True
        case "int" | "long" | "double":
            return getattr(reader, f"read_{kind}")()
        case "string" | "bytes":
            return getattr(reader, f"tgread_{kind}")()
        case "Bool":
            return reader.tgread_bool()
        case _:
            return reader.tgread_object()


def _value(thing: Any, field: Field) -> Any:
    name = _PYTHON_NAMES.get(field.name, field.name)
    return getattr(thing, name, None) or getattr(getattr(thing, "type", None), name, None)


def _is_there(value: Any) -> bool:
    return value is not None and value is not False


def _written(value: Any, field: Field) -> bytes:
    if not field.is_vector:
        return _written_value(value, field.kind)
    items = value or []
    written = b"".join(_written_value(item, field.kind) for item in items)
    return _VECTOR + struct.pack("<i", len(items)) + written


def _written_value(value: Any, kind: str) -> bytes:
    match kind:
        case "true":
            return b""
        case "int" | "long" | "double":
            number = int(value.timestamp()) if isinstance(value, datetime) else value or 0
            return struct.pack({"int": "<i", "long": "<q", "double": "<d"}[kind], number)
        case "string" | "bytes":
            text = value.text if isinstance(value, types.TextWithEntities) else value
            return bytes(TLObject.serialize_bytes(text or b""))
        case "Bool":
            return struct.pack("<I", 0x997275B5 if value else 0xBC799737)
        case _:
            return bytes(value)
