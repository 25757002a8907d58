"""The bodies of the calls about numbers and the answers to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.numbers.chats import ChosenChats, SelectionAnswer
from api.requests.fields import (
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
from api.requests.models import Answer, Body
from supervisor.login.session_transfer import SessionSource
from supervisor.store import values

if TYPE_CHECKING:
    from supervisor.numbers.view import View


LONGEST_WAIT = 60.0  # seconds

SESSION_FIELDS = ("name_session", "path_session", "string_session")
"""The fields that bring a session along."""


class NewNumber(ChosenChats):
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

    @property
    def session(self) -> SessionSource:
        return SessionSource(self.name_session, self.path_session, self.string_session)

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
        )


class ChangedNumber(ChosenChats):
    """What to change about a number; fields that are left out keep their values."""

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
        None, repr=False, description="null, or an empty field of a form, removes the proxy"
    )

    @property
    def session(self) -> SessionSource:
        return SessionSource(self.name_session, self.path_session, self.string_session)

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

    wait: float = Field(10.0, ge=0, le=LONGEST_WAIT, allow_inf_nan=False, description="seconds")


class Purge(BaseModel):
    """Whether the data of the number is erased as well."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    purge: bool = False


class OfClient(BaseModel):
    """Selects the numbers of one client."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client: ClientName | None = None


Status = Literal["online", "offline"]


class CreatedAnswer(Answer):
    """The number is created. Its token is shown only in this answer."""

    token: str
    name: str
    number: str
    status: Status
    state: str
    login_url: str | None = Field(None, exclude_if=lambda url: url is None)


class StateAnswer(Answer):
    """The state of the number after the call."""

    status: Status
    state: str


class StoppedAnswer(Answer):
    """The number is stopped."""

    status: Literal["offline"] = "offline"
    was_running: bool


class LastErrorAnswer(Answer):
    """The last error: what happened, and who must do what."""

    code: str
    message: str
    action: str


class WorkerAnswer(Answer):
    """The process that runs the number."""

    pid: int
    uptime: float = Field(description="seconds")
    memory: int = Field(description="bytes")


class ProxyAnswer(Answer):
    """The proxy of the number, without its user name, password or secret."""

    kind: Literal["socks5", "http", "mtproxy"]
    host: str
    port: int


class NumberAnswer(Answer):
    """Everything about one number."""

    number: str
    name: str
    client: str
    status: Status
    state: str
    since: datetime | None
    restarts: int
    last_error: LastErrorAnswer | None
    last_heard: datetime | None
    backlog: dict[Literal["in", "out"], int]
    memory: int | None = Field(description="bytes")
    merged: int | None = Field(description="bytes in pages that are shared with other processes")
    proxy: ProxyAnswer | None
    worker: WorkerAnswer | None
    chats: SelectionAnswer | None = Field(
        None, exclude_if=lambda chats: chats is None, description="only of a single number"
    )
    history_since: date | None = None


class NumbersAnswer(Answer):
    """All numbers."""

    numbers: list[NumberAnswer]
    merging: Literal["on", "idle", "unavailable", "off"] = Field(
        description="whether the kernel merges equal memory pages of workers"
    )


def describe_proxy(place: str) -> ProxyAnswer:
    kind, _, rest = place.partition("://")
    host, _, port = rest.rpartition(":")
    return ProxyAnswer.model_validate({"kind": kind, "host": host.strip("[]"), "port": port})


def describe(view: View) -> NumberAnswer:
    return NumberAnswer(
        number=view.number,
        name=view.client,
        client=view.client,
        status=view.status,
        state=view.state,
        since=view.since,
        restarts=view.restarts,
        last_error=view.last_error and LastErrorAnswer.model_validate(view.last_error),
        last_heard=view.last_heard,
        backlog={"in": view.backlog.into, "out": view.backlog.out},
        memory=view.worker and view.worker.memory,
        merged=view.worker and view.worker.merged,
        proxy=view.proxy and describe_proxy(view.proxy),
        worker=view.worker and WorkerAnswer.model_validate(view.worker),
        chats=view.chats and SelectionAnswer.model_validate(view.chats.selection),
        history_since=view.chats and view.chats.history_since,
    )
