"""The chat API of one Planfix account: its forms, field by field, and the calls over HTTP."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import httpx

from session_worker.network.answer_body import BodyUnreadable, read_body
from session_worker.network.guarded_transport import (
    NOT_SENT,
    AddressForbidden,
    GuardedBackend,
    guarded_transport,
    look_up,
    place_of,
    tls_context,
)
from session_worker.planfix.answer import (
    PlanfixAnswerLost,
    PlanfixForbidden,
    PlanfixRejected,
    PlanfixUnavailable,
    check,
    seconds_to_wait,
    task_number,
    without_body,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import httpcore

    from session_worker.network.guarded_transport import LookUp
    from session_worker.protocol.contract import PlanfixAccount
    from session_worker.protocol.messages import Contact, PlanfixStatus


Form = list[tuple[str, str]]

# Written so that no text makes it slow: no part of it can match in two ways.
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,64}){0,4}"
    r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}(?![\w-])"
)

_BLANK = " \u115f\u1160\u2800\u3164\uffa0"  # printable, but with nothing to be seen


@dataclass(frozen=True, slots=True)
class PlanfixMessage:
    """One message in the form in which Planfix receives it."""

    contact: Contact
    text: str
    is_echo: bool = False
    title: str = ""
    photo_link: str = ""
    bio: str | None = None  # None if Planfix already knows the contact
    files: tuple[tuple[str, str], ...] = ()


class Forms:
    """Fills in forms for the chats of one number."""

    def __init__(self, account: PlanfixAccount, number: str) -> None:
        self._account = account
        self._number = number

    def chat_id(self, peer_id: int) -> str:
        return f"{self._number}_{peer_id}"

    def new_message(self, message: PlanfixMessage) -> Form:
        contact = message.contact
        email = self._account.user_email if message.is_echo else None
        return [
            *self._head("newMessage"),
            ("channel", self._number),
            ("chatId", self.chat_id(contact.peer_id)),
            ("message", message.text),
            *_filled(("title", message.title)),
            *_contact_fields(contact, message.photo_link),
            *_new_contact_fields(contact, message.bio),
            *_filled(("telegramUserName", contact.username)),
            ("telegramUserId", str(contact.peer_id)),
            *_filled(("isEcho", "true" if message.is_echo else ""), ("userEmail", email)),
            *_attachments(message.files),
        ]

    def get_task(self, peer_id: int) -> Form:
        return [*self._head("getTask"), ("chatId", self.chat_id(peer_id))]

    def update_contact(self, contact: Contact, photo_link: str) -> Form:
        return [*self._head("updateContact"), *_contact_fields(contact, photo_link)]

    def message_status(self, planfix_id: str, status: PlanfixStatus, text: str) -> Form:
        return [
            *self._head("messageStatus"),
            ("messageId", planfix_id),
            ("messageStatus", status.value),
            *_filled(("messageStatusText", text)),
        ]

    def _head(self, command: str) -> Form:
        return [
            ("cmd", command),
            ("providerId", self._account.provider_id),
            ("planfix_token", self._account.token),
        ]


def full_name(contact: Contact) -> str:
    """Return the best name that is known for a contact."""
    name = f"{_seen(contact.first_name)} {_seen(contact.last_name)}".strip()
    handle = contact.username and f"@{contact.username}"
    return name or handle or contact.phone or f"Telegram {contact.peer_id}"


def _seen(name: str) -> str:
    """Return the name, or nothing if no character of it is visible, as Planfix would judge."""
    return name if any(sign.isprintable() and sign not in _BLANK for sign in name) else ""


def _contact_fields(contact: Contact, photo_link: str) -> Form:
    # Planfix requires a first name, so a contact without one gets the best name there is.
    first, last = _seen(contact.first_name), _seen(contact.last_name)
    first, last = (first, last) if first else (full_name(contact), "")
    return [
        ("contactId", str(contact.peer_id)),
        ("contactName", first),
        *_filled(("contactLastName", last), ("contactIco", photo_link)),
        *_filled(("contactPhone", contact.phone)),
    ]


def _new_contact_fields(contact: Contact, bio: str | None) -> Form:
    """Return what no other field says of a new contact: the public link and the bio."""
    if bio is None:
        return []
    link = f"https://t.me/{contact.username}" if contact.username else ""
    address = _EMAIL.search(bio)
    data = "\n".join(message for message in (link, bio) if message)
    return _filled(("contactEmail", address and address[0]), ("contactData", data))


def _attachments(files: Sequence[tuple[str, str]]) -> Form:
    """Put each file's name beside its link and keep their order."""
    return [
        field
        for name, link in files
        for field in (("attachments[name]", name), ("attachments[url]", link))
    ]


def _filled(*fields: tuple[str, str | None]) -> Form:
    return [(name, value) for name, value in fields if value]


HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "Telefix",
}
LIMITS = httpx.Limits(max_connections=8, max_keepalive_connections=4)
LONGEST_ANSWER = 64 * 1024  # bytes, unpacked; the rest is not read


@dataclass(frozen=True, slots=True)
class PlanfixTimeouts:
    """How long an answer may take, in seconds."""

    connect: float = 10.0
    answer: float = 30.0
    # Planfix may fetch the files of a message before it answers.
    answer_with_files: float = 120.0


class Answer(NamedTuple):
    """What came back from a call; if there is a flaw, the body could not be read."""

    status: int
    body: bytes
    retry_after: str | None
    flaw: str


class PlanfixClient:
    """Makes calls, each of which returns what was asked for or raises a PlanfixError."""

    def __init__(
        self,
        account: PlanfixAccount,
        number: str,
        timeouts: PlanfixTimeouts | None = None,
        *,
        look_up: LookUp = look_up,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._url = httpx.URL(account.url)
        trusted = place_of(self._url) if account.may_be_private else None
        backend = GuardedBackend(trusted, look_up=look_up, inner=network)
        self._forms = Forms(account, number)
        self._timeouts = timeouts or PlanfixTimeouts()
        self._http = httpx.AsyncClient(
            transport=guarded_transport(backend, tls_context(), LIMITS),
            timeout=httpx.Timeout(None, connect=self._timeouts.connect),
            headers=HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
        )

    async def new_message(self, message: PlanfixMessage) -> None:
        timeouts = self._timeouts
        limit = timeouts.answer_with_files if message.files else timeouts.answer
        form = self._forms.new_message(message)
        answer = await self._exchange(form, limit)
        # Planfix promises nothing but a status here: without a body that complains, 2xx means taken,
        # and a second try would be a second message.
        if not (answer.flaw and 200 <= answer.status < 300):
            _data_of(answer, form)

    async def get_task(self, peer_id: int) -> int | None:
        """Return the number of the chat's task, or None while there is none."""
        try:
            data = await self._ask(self._forms.get_task(peer_id))
        except PlanfixRejected as error:
            if error.status in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
                return None
            raise
        return task_number(data)

    async def update_contact(self, contact: Contact, photo_link: str) -> None:
        await self._ask(self._forms.update_contact(contact, photo_link))

    async def tell_status(self, planfix_id: str, status: PlanfixStatus, text: str) -> None:
        await self._ask(self._forms.message_status(planfix_id, status, text))

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, form: Form) -> dict[str, Any]:
        """Make a call that may be repeated, so that a lost answer is only a failure to reach Planfix."""
        try:
            return await self._call(form, self._timeouts.answer)
        except PlanfixAnswerLost as lost:
            raise PlanfixUnavailable(str(lost)) from lost

    async def probe(self, peer_id: int) -> Answer:
        """Ask for a chat's task, and return the bare answer, whatever it means."""
        return await self._exchange(self._forms.get_task(peer_id), self._timeouts.answer)

    async def _call(self, form: Form, limit: float) -> dict[str, Any]:
        return _data_of(await self._exchange(form, limit), form)

    async def _exchange(self, form: Form, limit: float) -> Answer:
        try:
            async with asyncio.timeout(limit + self._timeouts.connect):
                return await self._post(urlencode(form).encode())
        except AddressForbidden as exc:
            raise PlanfixForbidden(str(exc)) from exc
        except NOT_SENT as exc:
            raise PlanfixUnavailable(f"{type(exc).__name__}: {exc}") from exc
        except TimeoutError as exc:
            raise PlanfixAnswerLost(f"no answer within {limit:g} s") from exc
        except httpx.HTTPError as exc:
            raise PlanfixAnswerLost(f"{type(exc).__name__}: {exc}") from exc

    async def _post(self, content: bytes) -> Answer:
        async with self._http.stream("POST", self._url, content=content) as response:
            body, flaw = b"", ""
            try:
                body = await read_body(response, LONGEST_ANSWER)
            except BodyUnreadable as exc:
                flaw = str(exc)
            return Answer(response.status_code, body, response.headers.get("Retry-After"), flaw)


def _data_of(answer: Answer, form: Form) -> dict[str, Any]:
    """Return the data of an answer, or raise the error that it stands for."""
    retry_after = seconds_to_wait(answer.retry_after, datetime.now(UTC))
    if answer.flaw:
        raise without_body(answer.status, retry_after, answer.flaw)
    return check(answer.status, answer.body, retry_after, form)
