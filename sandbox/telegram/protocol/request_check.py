"""Checks that a request from the wire holds objects of the types that its TL definition names."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any
from zlib import crc32

from telethon.tl import TLObject, TLRequest, types
from telethon.tl.alltlobjects import tlobjects

_NAMED_TYPE = re.compile(r"\bType(\w+)")
_KINDS = {cls.SUBCLASS_OF_ID for cls in tlobjects.values()}
# Telegram takes these in place of an InputUser or InputChannel, and many clients rely on that.
_STANDS_FOR = {
    types.InputPeerChannel: types.InputChannel.SUBCLASS_OF_ID,
    types.InputPeerChannelFromMessage: types.InputChannel.SUBCLASS_OF_ID,
    types.InputPeerSelf: types.InputUser.SUBCLASS_OF_ID,
    types.InputPeerUser: types.InputUser.SUBCLASS_OF_ID,
    types.InputPeerUserFromMessage: types.InputUser.SUBCLASS_OF_ID,
}
_FAMILIES = {cls.__module__.rpartition(".")[2] for cls in tlobjects.values()}


def is_well_typed(thing: Any) -> bool:
    """Return whether every object inside has the type that its field requires."""
    if isinstance(thing, list):
        return all(map(is_well_typed, thing))
    if not isinstance(thing, TLObject):
        return True
    cls: Any = type(thing)
    return all(_fits(getattr(thing, name), kinds) for name, kinds in _object_fields(cls))


def _fits(value: Any, kinds: frozenset[int]) -> bool:
    if isinstance(value, list):
        return all(_fits(item, kinds) for item in value)
    if value is None:
        return True
    if isinstance(value, TLRequest):  # it has the id of its result's type
        return False
    kind = getattr(value, "SUBCLASS_OF_ID", None)
    return (kind in kinds or _STANDS_FOR.get(type(value)) in kinds) and is_well_typed(value)


@cache
def _object_fields(cls: Any) -> tuple[tuple[str, frozenset[int]], ...]:
    parameters = inspect.signature(cls).parameters.values()
    return tuple(
        (parameter.name, kinds)
        for parameter in parameters
        if (kinds := _kinds_of(str(parameter.annotation)))
    )


def _kinds_of(annotation: str) -> frozenset[int]:
    """Return the ids of the types that an annotation may mean, since it does not name the family."""
    named = _NAMED_TYPE.search(annotation)
    if named is None:
        return frozenset()
    names = (named[1], *(f"{family}.{named[1]}" for family in _FAMILIES))
    # Telethon numbers a type by the checksum of its name.
    return frozenset(crc32(name.encode()) for name in names) & _KINDS
