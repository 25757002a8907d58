"""The answers and errors of the Bot API, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from quart import Response, jsonify

from supervisor.notifications.outcome import RecipientState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.errors import TelegramRefused
    from supervisor.notifications.outcome import Accepted, RecipientOutcome

UNREACHABLE_WAIT = 5  # seconds; while Telegram is away an edit may be tried again after that
_BLOCKED = (403, "Forbidden: bot was blocked by the user")
_NOT_FOUND = (400, "Bad Request: chat not found")
_REASONS: Mapping[str, tuple[int, str]] = {
    "blocked_by_contact": _BLOCKED,
    "muted": _BLOCKED,
    "contact_deleted": (403, "Forbidden: user is deactivated"),
    "writing_forbidden": (403, "Forbidden: bot can't send messages to the chat"),
    "contact_unknown": _NOT_FOUND,
    "contact_not_found": _NOT_FOUND,
    "channel_invalid": _NOT_FOUND,
    "chat_id_invalid": _NOT_FOUND,
    "peer_id_invalid": _NOT_FOUND,
    "unknown_recipient": _NOT_FOUND,
    "invalid_recipient": _NOT_FOUND,
    "file_refused": (400, "Bad Request: wrong type of the web page content"),
    "link_forbidden": (400, "Bad Request: wrong HTTP URL specified"),
    "link_gone": (400, "Bad Request: failed to get HTTP URL content"),
    "link_unreachable": (400, "Bad Request: failed to get HTTP URL content"),
    "file_too_large": (400, "Bad Request: file is too big"),
    "file_empty": (400, "Bad Request: file must be non-empty"),
}
_CODES: Mapping[str, str] = {
    "MESSAGE_NOT_MODIFIED": "message is not modified: specified new message content and reply "
    "markup are exactly the same as a current content and reply markup of the message",
    "MESSAGE_ID_INVALID": "message to edit not found",
    "MESSAGE_DELETE_FORBIDDEN": "message can't be deleted",
    "MESSAGE_EMPTY": "message text is empty",
    "PEER_ID_INVALID": "chat not found",
    "CHAT_ID_INVALID": "chat not found",
}


class BotApiError(Exception):
    """A call that fails, as the Bot API would say it."""

    def __init__(self, status: int, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after = retry_after

    def as_response(self) -> Response:
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        response = jsonify(body)
        response.status_code = self.status
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        return response


class SentMessage(NamedTuple):
    """What a program learns of its message; the id is 0 while the message still waits."""

    chat_id: int
    message_id: int


def respond(result: Any) -> Response:
    return jsonify({"ok": True, "result": result})


def bad_request(what: str) -> BotApiError:
    return BotApiError(400, f"Bad Request: {what}")


def too_many_requests(seconds: float) -> BotApiError:
    wait = max(1, round(seconds))
    return BotApiError(429, f"Too Many Requests: retry after {wait}", wait)


def sent_message(accepted: Accepted, outcomes: list[RecipientOutcome]) -> SentMessage:
    """Return what was sent or still waits; raise BotApiError if it never will be."""
    for rejected in accepted.rejected:
        raise _because(rejected.code)
    first = outcomes[0]
    match first.outcome.state:
        case RecipientState.FAILED:
            raise _because(first.outcome.error or "")
        case RecipientState.EXPIRED:
            raise bad_request("message expired")
        case _:
            return SentMessage(first.peer_id, first.outcome.message_id or 0)


def from_refusal(error: TelegramRefused) -> BotApiError:
    """Say why Telegram refused an edit or a deletion."""
    if error.retry_after is not None:
        return too_many_requests(error.retry_after)
    return bad_request(_CODES.get(error.code, error.code))


def _because(reason: str) -> BotApiError:
    status, description = _REASONS.get(reason, (400, f"Bad Request: {reason.upper()}"))
    return BotApiError(status, description)
