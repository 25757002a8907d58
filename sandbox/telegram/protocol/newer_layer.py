"""An object of a layer that is newer than any client's here."""

from __future__ import annotations

import struct
from typing import Any

CONSTRUCTOR_ID = 0x7E1E5C0E
# Its fields are of lengths that only somebody who knows the constructor can tell.
_FIELDS = b"\x2a\x00\x00\x00\x05newer\x00\x00\xb5\x75\x72\x99"


class NewerObject:
    """Stands where a known object may stand; no installed layer has its constructor."""

    CONSTRUCTOR_ID = CONSTRUCTOR_ID

    def __bytes__(self) -> bytes:
        return struct.pack("<I", self.CONSTRUCTOR_ID) + _FIELDS

    def _bytes(self) -> bytes:
        return bytes(self)

    def to_dict(self) -> dict[str, Any]:
        return {"_": "NewerObject"}
