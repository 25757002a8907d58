"""How the calls are described in /openapi.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from quart_schema import security_scheme, tag

if TYPE_CHECKING:
    from collections.abc import Callable

Handler = TypeVar("Handler", bound="Callable[..., Any]")

SCHEMES: Final = {
    "miniApp": "`tma` and the raw initData with which Telegram has opened the Mini App",
    "miniAppToken": "the token that `POST /teamflame/api/auth/telegram` returns",
}


def call(subject: str, *, is_open: bool = False) -> Callable[[Handler], Handler]:
    """Describe a call of the service, with what proves who is calling."""

    def mark(handler: Handler) -> Handler:
        proof: list[dict[str, list[str]]] = [] if is_open else [{name: []} for name in SCHEMES]
        return security_scheme(proof)(tag([f"teamflame {subject}"])(handler))

    return mark
