"""What calls answer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field
from quart import Response

if TYPE_CHECKING:
    from supervisor.view import View

Status = Literal["online", "offline"]


class Answer(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ErrorAnswer(Answer):
    """What went wrong."""

    error: str = Field(examples=["invalid_request"])
    detail: str | list[dict[str, str]]


class CreatedAnswer(Answer):
    """The number runs; its token is shown this once."""

    token: str
    name: str
    number: str
    status: Status
    state: str
    login_url: str | None = Field(None, exclude_if=lambda url: url is None)


class StateAnswer(Answer):
    """What became of the number."""

    status: Status
    state: str


class StoppedAnswer(Answer):
    """The number is stopped."""

    status: Literal["offline"] = "offline"
    was_running: bool


class LastErrorAnswer(Answer):
    """What went wrong last, in words, with who must do what."""

    code: str
    message: str
    action: str


class WorkerAnswer(Answer):
    """The process that runs the number."""

    pid: int
    uptime: float = Field(description="seconds")
    memory: int = Field(description="bytes")


class ProxyAnswer(Answer):
    """What the number's connections to Telegram go through, without what opens it."""

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
    merged: int | None = Field(description="bytes in pages that other processes have in common")
    proxy: ProxyAnswer | None
    worker: WorkerAnswer | None


class NumbersAnswer(Answer):
    """All numbers."""

    numbers: list[NumberAnswer]
    merging: Literal["on", "idle", "unavailable", "off"] = Field(
        description="whether the kernel merges equal pages of workers"
    )


class AcceptedAnswer(Answer):
    """The message is kept; it will be sent in this chat."""

    chat_id: str = Field(alias="chatId")
    contact_id: str = Field(alias="contactId")


class HealthAnswer(Answer):
    """How the gateway is."""

    status: str


def say(answer: Answer, status: int = 200) -> Response:
    return Response(answer.model_dump_json(by_alias=True), status, content_type="application/json")


def describe_proxy(place: str) -> ProxyAnswer:
    kind, _, rest = place.partition("://")
    host, _, port = rest.rpartition(":")
    return ProxyAnswer.model_validate({"kind": kind, "host": host.strip("[]"), "port": port})


def describe(view: View) -> NumberAnswer:
    return NumberAnswer(
        number=view.number,
        name=view.name,
        client=view.name,
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
    )
