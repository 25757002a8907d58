"""What an account remembers of its traffic, in order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.planfix.attachment import Attachment
    from sandbox.planfix.form import Form


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the chat API; its status is None while (or because) there is no answer."""

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
    """What the gateway said became of an employee's message."""

    message_id: str
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An employee's message with the answer its call got."""

    at: float
    message_id: str
    contact: str
    text: str
    files: tuple[str, ...]
    task: int
    answered: int | None


@dataclass(slots=True)
class Journal:
    """The lists behind the control calls."""

    calls: list[Call] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def open_call(self, at: float, form: Form) -> int:
        self.calls.append(Call(at, None, form.values))
        return len(self.calls) - 1

    def close_call(self, place: int, status: int) -> None:
        self.calls[place] = replace(self.calls[place], status=status)
