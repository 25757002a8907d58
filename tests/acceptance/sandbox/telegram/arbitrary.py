"""TL objects whose fields hold whatever may be written there, mostly of the right type."""

from __future__ import annotations

import inspect
import re
import struct
from collections import defaultdict
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any, get_args

from telethon.tl import types
from telethon.tl.alltlobjects import tlobjects
from telethon.tl.core import GzipPacked, MessageContainer

INTEGERS = (0, 0, 1, 1, 2, 3, -1, 100, 1000001, 2**31 - 1, -(2**31))
LONG_INTEGERS = (*INTEGERS, 2**63 - 1, -(2**63), 2**40)
TEXTS = ("", "a", "/start", "\x00", "ї" * 300, "+380501110001", "alice", "\U0001f600" * 5)
BLOBS = (b"", b"\x00", b"\xff" * 300, bytes(1024))
MOMENTS = (None, datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(2**31 - 1, UTC))
DEEPEST = 4
# What the serialiser of Telethon raises for values that have no place in a field.
UNWRITABLE = (AssertionError, AttributeError, OverflowError, TypeError, ValueError, struct.error)
_TYPE = re.compile(r"\bType(\w+)")
_CLASSES = [c for c in tlobjects.values() if c not in (GzipPacked, MessageContainer)]
_BY_KIND: defaultdict[int, list[Any]] = defaultdict(list)
for _class in _CLASSES:
    _BY_KIND[_class.SUBCLASS_OF_ID].append(_class)


class Arbitrary:
    """Makes requests from a seed; the peers are some that handlers will recognise."""

    def __init__(self, seed: int, peers: tuple[Any, ...] = ()) -> None:
        self._random = Random(seed)  # repeatable on purpose
        self._peers: defaultdict[int, list[Any]] = defaultdict(list)
        for peer in peers:
            self._peers[peer.SUBCLASS_OF_ID].append(peer)
        ids = (number for peer in peers for number in vars(peer).values())
        self._long_integers = (*LONG_INTEGERS, *ids)

    def request(self, kinds: list[type]) -> bytes:
        """Write a request of one of these types."""
        while True:
            try:
                return bytes(self._object(self._random.choice(kinds), 0))
            except UNWRITABLE:
                continue

    def _object(self, kind: Any, depth: int) -> Any:
        made = {name: self._field(text, depth) for name, text in _fields(kind)}
        return kind(**made)

    def _field(self, annotation: str, depth: int) -> Any:
        if "Optional" in annotation and self._random.random() < 0.5 + depth / 10:
            return None
        if "List" in annotation:
            length = self._random.choice((0, 1, 1, 2, 5))
            return [self._single(annotation, depth) for _ in range(length)]
        return self._single(annotation, depth)

    def _single(self, annotation: str, depth: int) -> Any:
        choose = self._random.choice
        if "Type" in annotation:
            return self._nested(_kind(annotation), depth)
        if "int" in annotation:
            return choose(self._long_integers if self._random.random() < 0.3 else INTEGERS)
        for name, values in _PLAIN.items():
            if name in annotation:
                return choose(values)
        return choose(TEXTS)

    def _nested(self, kind: int, depth: int) -> Any:
        if self._peers[kind] and self._random.random() < 0.7:
            return self._random.choice(self._peers[kind])
        fitting = _BY_KIND[kind] if kind in _BY_KIND and self._random.random() < 0.93 else _CLASSES
        if depth >= DEEPEST:
            fitting = [c for c in fitting if not _fields(c)] or [types.InputPeerEmpty]
        return self._object(self._random.choice(fitting), depth + 1)


_PLAIN: dict[str, tuple[Any, ...]] = {
    "bool": (True, False),
    "bytes": BLOBS,
    "float": (0.0, -1.5, float("inf"), float("nan")),
    "datetime": MOMENTS,
}


@cache
def _fields(kind: Any) -> tuple[tuple[str, str], ...]:
    parameters = inspect.signature(kind).parameters.values()
    return tuple((parameter.name, str(parameter.annotation)) for parameter in parameters)


@cache
def _kind(annotation: str) -> int:
    """Return the id of the type that an annotation names, 0 for one that is not ours to know."""
    named = _TYPE.search(annotation)
    declared = getattr(types, named.group(0), None) if named else None
    first = next(iter(get_args(declared)), declared)
    return int(getattr(first, "SUBCLASS_OF_ID", 0))
