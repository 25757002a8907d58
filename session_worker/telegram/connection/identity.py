"""Whether the account of a login is the one that the number stands for."""

from __future__ import annotations

from typing import Any

from session_worker.protocol.contract import Trouble, TroubleCode
from session_worker.telegram.errors import NeedsLogin

_SHOWN_FIRST, _SHOWN_LAST = (
    3,
    2,
)  # digits shown of another phone; whoever mistyped the number recognises it


def require_own(user: Any, number: str) -> None:
    """Raise NeedsLogin if this is the account of another phone."""
    phone = _digits(user.phone or "")
    if phone and phone != _digits(number):
        detail = f"this is the account of +{phone[:_SHOWN_FIRST]}…{phone[-_SHOWN_LAST:]}"
        raise NeedsLogin(Trouble(code=TroubleCode.WRONG_ACCOUNT, detail=detail))


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
