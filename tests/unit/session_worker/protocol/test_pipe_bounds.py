"""What crosses the pipe has bounds, and neither NUL nor half of a character in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from session_worker.protocol.contract import COMMANDS, EVENTS, EntitiesSeen, Entity
from session_worker.protocol.messages import Contact, Failure, Incoming, IncomingFile, Received
from session_worker.protocol.pipe import (
    HEADER,
    MAX_EVENT,
    MOST_ERRORS,
    BoundsBroken,
    PipeBroken,
    decode,
    encode,
)
from session_worker.protocol.pipe_fields import (
    LONGEST_DETAIL,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_ENTITIES,
    MOST_FILES,
    MOST_IDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import TypeAdapter

Schema = dict[str, Any]
Made = st.SearchStrategy
FIGURES = st.floats(0, 1e9)


class Maker:
    """Makes messages of any kind by their schema, with texts of this kind wherever there can be one."""

    def __init__(self, schema: Schema, text: Made[str], figure: Made[Any] = FIGURES) -> None:
        self._defs: dict[str, Schema] = schema["$defs"]
        self._known: dict[str, Made[Any]] = {}
        self._text = text
        self._of_type: dict[str, Made[Any]] = {
            "integer": st.integers(0, 999),
            "number": figure,
            "boolean": st.booleans(),
            "null": st.none(),
        }
        self._of_format = {
            "date-time": "2026-01-01T00:00:00Z",
            "date": "2026-01-01",
            "binary": "AAAA",
        }
        self._kinds: dict[str, Callable[[Any], Made[Any]]] = {
            "$ref": self._referred,
            "anyOf": lambda kinds: st.one_of([self.make(kind) for kind in kinds]),
            "oneOf": lambda kinds: st.one_of([self.make(kind) for kind in kinds]),
            "const": st.just,
            "enum": st.sampled_from,
            "items": lambda items: st.lists(self.make(items), min_size=1, max_size=2),
            "properties": lambda fields: st.fixed_dictionaries(
                {name: self.make(field) for name, field in fields.items()}
            ),
            "pattern": lambda _: st.just("tg://login?token=AQIDBA"),
            "format": lambda name: st.just(self._of_format[name]),
        }

    def make(self, part: Schema) -> Made[Any]:
        for key, kind in self._kinds.items():
            if key in part:
                return kind(part[key])
        return self._of_type.get(part["type"], self._text)

    def _referred(self, ref: str) -> Made[Any]:
        name = ref.rpartition("/")[2]
        if name not in self._known:
            self._known[name] = self.make(self._defs[name])
        return self._known[name]


def messages(adapter: TypeAdapter[Any], text: Made[str], **figure: Made[Any]) -> Made[Any]:
    schema = adapter.json_schema()
    return Maker(schema, text, **figure).make(schema)


UNSOUND = st.text(st.sampled_from("aЯ\0\ud83d\ude00\n"), max_size=12)
NUL = st.text(st.sampled_from("aЯ\0\n"), max_size=12)
ADAPTERS: dict[str, TypeAdapter[Any]] = {"events": EVENTS, "commands": COMMANDS}
OF_UNSOUND = {name: messages(adapter, UNSOUND) for name, adapter in ADAPTERS.items()}
OF_NUL = {name: messages(adapter, NUL) for name, adapter in ADAPTERS.items()}
WITHOUT_FIGURES = messages(EVENTS, st.just("x"), figure=st.just("@"))


@given(st.data(), st.sampled_from(sorted(ADAPTERS)))
def test_unsound_text_becomes_sound(data: st.DataObject, name: str) -> None:
    """Whatever a message is made of, it can be made, and comes out at the other end sound and equal."""
    value, adapter = data.draw(OF_UNSOUND[name]), ADAPTERS[name]

    made = adapter.validate_python(value)
    crossed = decode(encode(made)[HEADER.size :], adapter)

    assert crossed == made
    assert all(is_sound(text) for text in texts(crossed))


@given(st.data(), st.sampled_from(sorted(ADAPTERS)))
def test_no_nul_comes_in(data: st.DataObject, name: str) -> None:
    """A program that was taken over writes its frames itself; what is read of them is sound."""
    value = data.draw(OF_NUL[name])

    crossed = decode(json.dumps(value).encode(), ADAPTERS[name])

    assert all(is_sound(text) for text in texts(crossed))


@given(OF_UNSOUND["events"])
def test_half_of_a_character_is_no_message(value: Any) -> None:
    """JSON can name half of a character; a frame with one is refused, never handed on."""
    try:
        crossed = decode(json.dumps(value).encode(), EVENTS)
    except PipeBroken:
        assert "\\ud83d" in json.dumps(value) or "\\ude00" in json.dumps(value)
    else:
        assert all(is_sound(text) for text in texts(crossed))


def test_every_field_of_an_event_has_bounds() -> None:
    """Each text and list has a maximum, each figure a range: also those of events to come."""
    assert list(unbounded(EVENTS.json_schema(), "event")) == []


@given(WITHOUT_FIGURES, st.sampled_from(["NaN", "Infinity", "-Infinity", "1e300", "9" * 400]))
def test_figure_without_measure_is_refused(value: Any, figure: str) -> None:
    """No float of an event is more than any calendar or clock has, or no number at all."""
    frame = json.dumps(value)
    if '"@"' not in frame:
        return

    with pytest.raises(PipeBroken):
        decode(frame.replace('"@"', figure).encode(), EVENTS)


@pytest.mark.parametrize(
    ("event", "is_large"),
    [
        ({"kind": "read_by_contact", "positions": list(range(MOST_IDS + 1))}, True),
        ({"kind": "read_by_contact", "positions": list(range(400_000))}, True),
        ({"kind": "read_by_contact", "positions": [], "up_to": 2**63}, True),
        ({"kind": "read_by_contact", "positions": ["x"] * 300_000}, False),
        ({"kind": "read_by_contact", **{f"x{i}": 1 for i in range(100_000)}}, True),
        ({"kind": "read_by_contact", "\0\n" * 10_000: 1}, False),
    ],
    ids=range(6),
)
def test_what_is_too_large_is_told_from_nonsense(event: dict[str, Any], is_large: bool) -> None:
    """The reason is short and readable, whatever names the other side has invented."""
    frame = json.dumps({"peer_id": 1, "up_to": 1, **event}).encode()

    with pytest.raises(PipeBroken) as broken:
        decode(frame, EVENTS)

    assert isinstance(broken.value, BoundsBroken) == is_large
    assert len(str(broken.value)) < 10 * MOST_ERRORS
    assert str(broken.value).isprintable()


def test_long_texts_are_cut() -> None:
    """A message arrives although something about it is longer than anybody reads."""
    contact = Contact(peer_id=1, first_name="Я" * 1000)
    incoming = Incoming(peer_id=1, message_ids=(1,), date=1, text="a" * 10**6, contact=contact)
    failure = Failure(code="X" * 1000, detail="y" * 10**5)

    again = incoming.changed(text="ї" * 10**6)

    assert len(incoming.text) == len(again.text) == LONGEST_TEXT
    assert incoming.text.endswith("a…")
    assert len(contact.first_name) == LONGEST_NAME
    assert len(failure.detail) == LONGEST_DETAIL


def test_largest_events_fit_a_frame() -> None:
    """Where every character is one that JSON writes with six, an honest event is still taken."""
    worst = "\1" * LONGEST_TEXT
    entity = Entity(peer_id=10**12, access_hash=-(2**63), username=worst, phone=worst, name=worst)
    file = IncomingFile(message_id=2**62, name=worst, mime=worst, size=2**62)
    contact = Contact(peer_id=10**12, first_name=worst, last_name=worst, username=worst)
    incoming = Incoming(
        peer_id=10**12,
        message_ids=(2**62,) * MOST_IDS,
        date=1,
        text=worst,
        contact=contact,
        files=(file,) * MOST_FILES,
    )

    entities = encode(EntitiesSeen(entities=(entity,) * MOST_ENTITIES))
    message = encode(Received(positions=(2**62,) * MOST_IDS, incoming=incoming))

    assert len(entities) < MAX_EVENT
    assert len(message) < MAX_EVENT


def unbounded(part: Any, path: str) -> Iterator[str]:
    """Name the places of a schema at which something of any size fits."""
    needed = {
        "string": ("maxLength", "maxLength"),
        "array": ("maxItems", "maxItems"),
        "integer": ("minimum", "exclusiveMaximum"),
        "number": ("minimum", "maximum"),
    }
    if isinstance(part, list):
        for place, each in enumerate(part):
            yield from unbounded(each, f"{path}.{place}")
    if not isinstance(part, dict):
        return
    kind = part.get("type")
    is_closed = bool({"const", "enum"} & part.keys()) or part.get("format") == "date-time"
    if isinstance(kind, str) and kind in needed and not is_closed:
        yield from (path for limit in set(needed[kind]) if limit not in part)
    for name, each in part.items():
        yield from unbounded(each, f"{path}.{name}")


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case BaseModel():
            yield from texts([each for _, each in value])
        case list() | tuple():
            for each in value:
                yield from texts(each)
        case _:
            pass


def is_sound(text: str) -> bool:
    return "\0" not in text and text.encode().decode() == text
