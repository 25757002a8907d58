"""An object of a layer that is newer than that of any client."""

from __future__ import annotations

import struct
from typing import Any

CONSTRUCTOR_ID = 0x7E1E5C0E
# Without knowing the constructor, a client cannot tell how long its fields are.
_FIELDS = b"\x2a\x00\x00\x00\x05newer\x00\x00\xb5\x75\x72\x99"


class NewerObject:
    """An object in place of a known one; no installed layer has its constructor."""

    CONSTRUCTOR_ID = CONSTRUCTOR_ID

    def __bytes__(self) -> bytes:
        return struct.pack("<I", self.CONSTRUCTOR_ID) + _FIELDS

    def _bytes(self) -> bytes:
        return bytes(self)

    def to_dict(self) -> dict[str, Any]:
        return {"_": "NewerObject"}
