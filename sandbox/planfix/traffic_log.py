"""The calls and messages of an account, in order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.planfix.attachment import Attachment
    from sandbox.planfix.command import Link
    from sandbox.planfix.form import Form


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the chat API; its status is None until it is answered, or if it never is."""

    at: float
    status: int | None
    fields: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that Planfix accepted."""

    at: float
    chat_id: str
    contact_id: str
    contact_name: str
    text: str
    is_echo: bool
    title: str | None
    attachments: tuple[Attachment, ...]
    task: int


@dataclass(frozen=True, slots=True)
class Status:
    """The status of an employee's message, as reported by the gateway."""

    message_id: str
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An employee's message and the answer to its call."""

    at: float
    message_id: str
    contact: str
    text: str
    files: tuple[Link, ...]
    task: int
    answered: int | None


@dataclass(slots=True)
class Journal:
    """The lists that the control calls return."""

    calls: list[Call] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def open_call(self, at: float, form: Form) -> int:
        self.calls.append(Call(at, None, form.values))
        return len(self.calls) - 1

    def close_call(self, place: int, status: int) -> None:
        self.calls[place] = replace(self.calls[place], status=status)
