"""What calls are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.fields import (
    AbsentIfEmpty,
    ClientName,
    Digits,
    Email,
    PlanfixAddress,
    PlanfixToken,
    ProviderId,
    ProxyAddress,
    SessionName,
    SessionPath,
    StringSession,
)
from supervisor.models import Direction, RowState
from supervisor.store.journal_shelf import Selection

LONGEST_WAIT = 60.0  # seconds


class Body(BaseModel):
    """The fields of a call; a field that nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Numbered(BaseModel):
    """The number a call is about, read before its caller is let in."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    number: Digits


SESSION_FIELDS = ("name_session", "path_session", "string_session")
"""What brings a login along."""


class NewNumber(Body):
    """A number to start."""

    name: ClientName
    number: Digits
    url_planfix: PlanfixAddress
    token_planfix: PlanfixToken = Field(repr=False)
    name_session: Annotated[SessionName | None, AbsentIfEmpty] = None
    path_session: Annotated[SessionPath | None, AbsentIfEmpty] = None
    string_session: Annotated[StringSession | None, AbsentIfEmpty] = Field(None, repr=False)
    provider_id: ProviderId = "telegram"
    user_email: Annotated[Email | None, AbsentIfEmpty] = None
    proxy: Annotated[ProxyAddress | None, AbsentIfEmpty] = Field(None, repr=False)


class ChangedNumber(Body):
    """What is to change about a number; fields left out stay."""

    number: Digits
    name: ClientName | None = None
    url_planfix: PlanfixAddress | None = None
    token_planfix: PlanfixToken | None = Field(default=None, repr=False)
    name_session: Annotated[SessionName | None, AbsentIfEmpty] = None
    path_session: Annotated[SessionPath | None, AbsentIfEmpty] = None
    string_session: Annotated[StringSession | None, AbsentIfEmpty] = Field(None, repr=False)
    provider_id: ProviderId | None = None
    user_email: Annotated[Email | None, AbsentIfEmpty] = None
    proxy: Annotated[ProxyAddress | None, AbsentIfEmpty] = Field(
        None, repr=False, description="null, or empty in a form, removes it"
    )

    @property
    def without_proxy(self) -> bool:
        """Whether the proxy is to be removed: said so, not left out."""
        return "proxy" in self.model_fields_set and self.proxy is None


class NamedNumber(Body):
    """A client's number."""

    name: ClientName
    number: Digits


class StoppedNumber(NamedNumber):
    """A client's number to stop, for good with `purge`."""

    purge: bool = False


class AskedNumber(BaseModel):
    """A client's number, in a query."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: ClientName | None = Field(None, description="required here, or in the body")
    number: Digits | None = Field(None, description="required here, or in the body")


class Patience(BaseModel):
    """How long a call may wait for a number's worker."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    wait: float = Field(10.0, ge=0, le=LONGEST_WAIT, allow_inf_nan=False, description="seconds")


class Purge(BaseModel):
    """Whether a number's data is erased with it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    purge: bool = False


class JournalPage(BaseModel):
    """Which messages of a number are meant."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    direction: Literal["in", "out"] | None = None
    state: Literal["pending", "delivered", "dead"] | None = None
    limit: int = Field(50, ge=1, le=500)
    before: int | None = Field(None, ge=1, le=2**53, description="only messages with a smaller id")

    def as_selection(self) -> Selection:
        return Selection(
            direction=self.direction and Direction(self.direction),
            state=self.state and RowState(self.state),
            before=self.before,
            limit=self.limit,
        )


class OfClient(BaseModel):
    """Which client's numbers are meant."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client: ClientName | None = None
