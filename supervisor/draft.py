"""What the gateway is asked for: the shape of a new number, of changes to one, of a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol


class SessionName(Protocol):
    """A login to take over: a file under SESSION_ROOT, or the session itself as text."""

    @property
    def name_session(self) -> str | None: ...
    @property
    def path_session(self) -> str | None: ...
    @property
    def string_session(self) -> str | None: ...


class Draft(SessionName, Protocol):
    """A number to register."""

    @property
    def name(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def url_planfix(self) -> str: ...
    @property
    def token_planfix(self) -> str: ...
    @property
    def provider_id(self) -> str: ...
    @property
    def user_email(self) -> str | None: ...


class Amendment(SessionName, Protocol):
    """What is to change about a number; nothing means: stays as it is."""

    @property
    def name(self) -> str | None: ...
    @property
    def url_planfix(self) -> str | None: ...
    @property
    def token_planfix(self) -> str | None: ...
    @property
    def provider_id(self) -> str | None: ...
    @property
    def user_email(self) -> str | None: ...


class AttachmentDraft(NamedTuple):
    """A file behind a link of Planfix."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class OutgoingDraft:
    """What an employee wrote: to a chat, or to somebody yet to be found."""

    planfix_id: str
    text: str = ""
    attachments: tuple[AttachmentDraft, ...] = ()
    chat_id: str | None = None
    user_id: int | None = None
    username: str | None = None
    phone: str | None = None

    @property
    def names_somebody(self) -> bool:
        return any((self.user_id, self.username, self.phone))
