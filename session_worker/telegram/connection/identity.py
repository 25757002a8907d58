"""Whether the account behind a login is the one the number means."""

from __future__ import annotations

from typing import Any

from session_worker.protocol.contract import Trouble, TroubleCode
from session_worker.telegram.errors import NeedsLogin

_SHOWN_FIRST, _SHOWN_LAST = 3, 2  # digits of a stranger's phone; whoever mistyped it recognises it


def require_own(user: Any, number: str) -> None:
    """Raise NeedsLogin when this is the account of another phone."""
    phone = _digits(user.phone or "")
    if phone and phone != _digits(number):
        detail = f"this is the account of +{phone[:_SHOWN_FIRST]}…{phone[-_SHOWN_LAST:]}"
        raise NeedsLogin(Trouble(code=TroubleCode.WRONG_ACCOUNT, detail=detail))


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
