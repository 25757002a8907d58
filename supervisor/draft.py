"""What the gateway is asked for: the shape of a new number, of changes to one, of a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from supervisor.store.values import Changes, NewNumber

if TYPE_CHECKING:
    from session_worker.proxy import Proxy


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
    @property
    def proxy(self) -> Proxy | None: ...


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
    @property
    def proxy(self) -> Proxy | None: ...
    @property
    def without_proxy(self) -> bool: ...


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


def as_new(draft: Draft) -> NewNumber:
    return NewNumber(
        number=draft.number,
        client=draft.name,
        url_planfix=draft.url_planfix,
        token_planfix=draft.token_planfix,
        provider_id=draft.provider_id,
        user_email=draft.user_email,
        proxy=draft.proxy,
    )


def as_changes(changes: Amendment) -> Changes:
    return Changes(
        client=changes.name,
        url_planfix=changes.url_planfix,
        token_planfix=changes.token_planfix,
        provider_id=changes.provider_id,
        user_email=changes.user_email,
        proxy=changes.proxy,
        without_proxy=changes.without_proxy,
    )
