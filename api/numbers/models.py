"""The bodies and the queries of the calls about numbers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.numbers.chats import ChosenChats
from api.numbers.governor import GovernorSettings, JsonInForms
from api.requests.addresses import PlanfixAddress, ProxyAddress
from api.requests.body import (
    AbsentIfEmpty,
    Body,
    ClientName,
    Digits,
    Email,
    NewProviderId,
    PlanfixToken,
    ProviderId,
    SessionName,
    SessionPath,
    StringSession,
    Wait,
)
from supervisor.login.session_transfer import SessionSource
from supervisor.numbers.state import State
from supervisor.store import values

SESSION_FIELDS = ("name_session", "path_session", "string_session")
"""The fields that contain or name a session."""


class NumberFields(ChosenChats):
    """The fields that a new number and a changed number have in common."""

    number: Digits
    name_session: Annotated[SessionName | None, AbsentIfEmpty] = None
    path_session: Annotated[SessionPath | None, AbsentIfEmpty] = None
    string_session: Annotated[StringSession | None, AbsentIfEmpty] = Field(None, repr=False)
    user_email: Annotated[Email | None, AbsentIfEmpty] = None
    proxy: Annotated[ProxyAddress | None, AbsentIfEmpty] = Field(
        None, repr=False, description="null, or an empty field of a form, means no proxy"
    )
    governor: Annotated[GovernorSettings | None, JsonInForms] = Field(
        None,
        description="settings that are left out keep their values; an empty object means the defaults",
    )

    @property
    def session(self) -> SessionSource:
        return SessionSource(self.name_session, self.path_session, self.string_session)

    def governor_changes(self) -> dict[str, Any] | None:
        return None if self.governor is None else self.governor.as_changes()


class NewNumber(NumberFields):
    """A number to start."""

    name: ClientName
    url_planfix: PlanfixAddress
    token_planfix: PlanfixToken = Field(repr=False)
    provider_id: NewProviderId = "telegram"

    def as_value(self) -> values.NewNumber:
        return values.NewNumber(
            number=self.number,
            client=self.name,
            url_planfix=self.url_planfix,
            token_planfix=self.token_planfix,
            provider_id=self.provider_id,
            user_email=self.user_email,
            proxy=self.proxy,
            chats=self.chat_changes(),
            governor=self.governor_changes(),
        )


class ChangedNumber(NumberFields):
    """What to change about a number; fields that are left out keep their values."""

    name: ClientName | None = None
    url_planfix: PlanfixAddress | None = None
    token_planfix: PlanfixToken | None = Field(default=None, repr=False)
    provider_id: ProviderId | None = None

    def as_value(self) -> values.Changes:
        return values.Changes(
            client=self.name,
            url_planfix=self.url_planfix,
            token_planfix=self.token_planfix,
            provider_id=self.provider_id,
            user_email=self.user_email,
            proxy=self.proxy,
            without_proxy="proxy" in self.model_fields_set and self.proxy is None,
            chats=self.chat_changes(),
            governor=self.governor_changes(),
        )


class NamedNumber(Body):
    """A client's number."""

    name: ClientName
    number: Digits


class StoppedNumber(NamedNumber):
    """A client's number to stop; `purge` also erases its data."""

    purge: bool = False


class AskedNumber(BaseModel):
    """A client's number, in a query."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: ClientName | None = Field(None, description="required here or in the body")
    number: Digits | None = Field(None, description="required here or in the body")


class Patience(BaseModel):
    """How long the call waits for the worker of the number."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    wait: Wait = 10.0


class Purge(BaseModel):
    """Whether the data of the number is erased as well."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    purge: bool = False


class Chosen(BaseModel):
    """Selects numbers by their client and their state."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client: ClientName | None = Field(None, description="only the numbers of this client")
    state: State | None = Field(None, description="only the numbers in this state")
