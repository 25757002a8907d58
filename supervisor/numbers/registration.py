"""What a new number must offer, and what can be changed about one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from supervisor.store.values import Changes, NewNumber

if TYPE_CHECKING:
    from session_worker.protocol.proxy import Proxy


class SessionName(Protocol):
    """A session to import: a file under SESSION_ROOT, or the session itself as text."""

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
    """Changes to a number; a field that is None stays as it is."""

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
