"""Sends Telegram notifications from any program, without ever disturbing it."""

from __future__ import annotations

import html
import json
import logging
import os
import re
import threading
import time
import urllib.error
import urllib.request
from typing import Any

__all__ = [
    "format_event_created_message",
    "format_ticket_purchased_message",
    "send_telegram_message",
]

TELEGRAM = "https://api.telegram.org"
LONGEST_CALL = 2.8  # seconds; a caller never waits for more than three
LONGEST_ANSWER = 65_536  # bytes

logger = logging.getLogger(__name__)


def send_telegram_message(message: str) -> bool:
    """Send a text to TELEGRAM_CHAT_ID; return whether it was accepted.

    It never raises and never takes longer than 3 seconds; what went wrong is logged.
    """
    token = os.environ.get("TELEGRAM_BOT_TOKEN", "").strip()
    chat = os.environ.get("TELEGRAM_CHAT_ID", "").strip()
    if not (token and chat):
        logger.error("TELEGRAM_BOT_TOKEN or TELEGRAM_CHAT_ID is not set; nothing was sent")
        return False
    address = os.environ.get("TELEGRAM_API_URL", "").strip() or TELEGRAM
    call = _Call(f"{address.rstrip('/')}/bot{token}/sendMessage", chat)
    # In a thread: looking up a name, for one, knows no time limit.
    thread = threading.Thread(target=call.run, args=(message,), daemon=True)
    try:
        thread.start()
        thread.join(LONGEST_CALL)
    except RuntimeError as error:  # no thread can be started
        call.error = str(error)
    if not call.is_sent:
        logger.error("the notification was not sent: %s", (call.error or "no answer in time"))
    return call.is_sent


def format_event_created_message(title: Any, location: Any, date: Any, organizer: Any) -> str:
    """Tell of an event that was created."""
    return _lines(
        "🎉 <b>Новое мероприятие</b>",
        ("Название", title),
        ("Место", location),
        ("Дата", date),
        ("Организатор", organizer),
    )


def format_ticket_purchased_message(event_title: Any, price: Any, buyer: Any) -> str:
    """Tell of a ticket that was sold."""
    return _lines(
        "🎫 <b>Билет куплен</b>",
        ("Мероприятие", event_title),
        ("Цена", price),
        ("Покупатель", buyer),
    )


def _lines(head: str, *fields: tuple[str, Any]) -> str:
    return "\n".join([head, *(f"{label}: {html.escape(str(value))}" for label, value in fields)])


class _WithoutRedirects(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else, because the address contains the token."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class _Call:
    """One message on its way, and what became of it."""

    def __init__(self, url: str, chat: str) -> None:
        self._url = url
        self._chat = chat
        self._until = time.monotonic() + LONGEST_CALL
        self.is_sent = False
        self.error = ""

    def run(self, message: str) -> None:
        try:
            text = str(message)
            self.is_sent = self._post({"text": text, "parse_mode": "HTML"})
            if not self.is_sent and "parse entities" in self.error:
                self.is_sent = self._post({"text": text})
        except Exception as error:  # noqa: BLE001 - the program that calls must not be disturbed
            # Only the kind of error, because its text may contain the address with the token.
            reason = getattr(error, "reason", None)
            self.error = f"{type(error).__name__} {type(reason).__name__ if reason else ''}".strip()

    def _post(self, fields: dict[str, str]) -> bool:
        body = json.dumps({"chat_id": self._chat, **fields}).encode()
        request = urllib.request.Request(  # noqa: S310 - the operator sets the address
            self._url, body, {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(_WithoutRedirects)
        left = max(0.1, self._until - time.monotonic())
        try:
            with opener.open(request, timeout=left) as answer:
                return self._is_accepted(answer.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                self._is_accepted(error.read(LONGEST_ANSWER))
            self.error = f"HTTP {error.code}: {self.error}"
            return False

    def _is_accepted(self, body: bytes) -> bool:
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            self.error = "the answer is not one of the Bot API"
            return False
        description = str(answer.get("description", ""))[:300]
        self.error = re.sub(r"\d+:[\w-]{20,}", "…", description)
        return answer.get("ok") is True
