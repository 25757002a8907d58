"""The error that a method answers with."""

from __future__ import annotations

import re

from telethon.errors.rpcerrorlist import rpc_errors_dict, rpc_errors_re
from telethon.tl import types

_FLOOD = 420
_BAD_REQUEST = 400


class RpcError(Exception):
    """An error answer to a client's request."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code_of(message) if code is None else code

    def as_tl(self) -> types.RpcError:
        return types.RpcError(self.code, self.message)


def code_of(message: str) -> int:
    """Look up the code that Telegram sends with an error; 400 for unknown errors."""
    if message == "FLOOD_WAIT":
        return _FLOOD
    known = rpc_errors_dict.get(message) or next(
        (kind for pattern, kind in rpc_errors_re if re.fullmatch(pattern, message)), None
    )
    return int(known.code) if known else _BAD_REQUEST
