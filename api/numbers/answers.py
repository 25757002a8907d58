"""The answers of the calls about numbers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from api.numbers.chats import ChatSelectionAnswer
from api.numbers.governor import GovernorAnswer, describe_budgets
from api.requests.body import Answer
from supervisor.numbers.state import State
from supervisor.numbers.view import Attention
from supervisor.texts import translate_error

if TYPE_CHECKING:
    from supervisor.journal.values import ByDirection
    from supervisor.numbers.view import View
    from supervisor.store.values import LastError

Status = Literal["online", "offline"]


class CreatedAnswer(Answer):
    """The number is created. Its token is shown only in this answer."""

    token: str = Field(description="the key of the number; keep it, it cannot be shown again")
    name: str = Field(description="the client")
    number: str = Field(description="digits without +")
    status: Status = Field(description="`online` while messages get through")
    state: State
    login_url: str | None = Field(
        None,
        exclude_if=lambda url: url is None,
        description="a one-time page on which the client logs the number in; only if the state is `needs_login`",
    )


class StateAnswer(Answer):
    """The state of the number after the call."""

    status: Status = Field(description="`online` while messages get through")
    state: State


class StoppedAnswer(Answer):
    """The number is stopped."""

    status: Literal["offline"] = "offline"
    was_running: bool = Field(description="whether the number was supposed to run before")


class LastErrorAnswer(Answer):
    """What is wrong, and who must do what; in the language of the reader."""

    code: str = Field(description="stands for the cause; the same in all languages")
    message: str = Field(description="what happened")
    action: str = Field(description="who has to do what")


class WorkerAnswer(Answer):
    """The process that runs the number."""

    pid: int
    uptime: float = Field(description="seconds")
    memory: int = Field(
        description="bytes of its own pages, plus its share of the pages that several "
        "processes have in common (PSS); these figures of all workers can be added"
    )
    private: int | None = Field(
        description="bytes of its own pages alone (USS): what one more worker costs"
    )


class ProxyAnswer(Answer):
    """The proxy of the number, without its user name, password or secret."""

    kind: Literal["socks5", "http", "mtproxy"]
    host: str
    port: int


class CountAnswer(Answer):
    """A count of messages for each direction."""

    into: int = Field(serialization_alias="in", description="from Telegram to Planfix")
    out: int = Field(description="from Planfix to Telegram")


class NumberAnswer(Answer):
    """Everything about one number."""

    number: str = Field(description="digits without +")
    name: str = Field(description="the client")
    client: str = Field(description="the same as `name`")
    status: Status = Field(description="`online` while messages get through")
    state: State
    attention: Attention = Field(
        description="`needs_somebody`: a person has to act (see `last_error.action`, or look at the "
        "dead letters); `mends_itself`: the gateway is dealing with it; `none`: all is well"
    )
    since: datetime | None = Field(description="when the number came into this state")
    restarts: int = Field(description="restarts of the worker since the number was last started")
    last_error: LastErrorAnswer | None = Field(
        description="what is wrong now; null once the number is well again (the history keeps it)"
    )
    last_heard: datetime | None = Field(description="when the newest Telegram update came")
    backlog: CountAnswer = Field(description="messages that wait to be delivered")
    dead: CountAnswer = Field(description="dead letters that nobody has replayed or dismissed yet")
    oldest_waiting: datetime | None = Field(
        description="when the oldest message that waits was stored"
    )
    memory: int | None = Field(description="bytes; the same as `worker.memory`")
    merged: int | None = Field(description="bytes in pages that are shared with other processes")
    proxy: ProxyAnswer | None
    url_planfix: str | None = Field(
        description="where Planfix accepts messages; null for a bot without Planfix"
    )
    provider_id: str | None = Field(description="how the integration in Planfix names this system")
    user_email: str | None = Field(
        description="the employee who counts in Planfix as the author of what the owner writes on "
        "another device"
    )
    worker: WorkerAnswer | None
    governor: GovernorAnswer | None = Field(
        description="what is left of the budgets; null in the list of all numbers"
    )
    chats: ChatSelectionAnswer | None = Field(
        description="which chats go to Planfix; null in the list of all numbers"
    )
    history_since: date | None = Field(description="since when the history is delivered, if it is")


class ClientAnswer(Answer):
    """The numbers of a client, added up."""

    client: str
    numbers: int
    online: int
    needs_somebody: int = Field(description="how many of them need somebody")
    backlog: CountAnswer
    dead: CountAnswer


class CauseAnswer(Answer):
    """The numbers of one client that have the same trouble."""

    client: str
    code: str = Field(description="the cause: a code of `last_error`, a state, or `dead_letters`")
    message: str = Field(description="what happened, in the language of the reader")
    action: str = Field(description="who has to do what")
    attention: Attention
    numbers: list[str]


class SummaryAnswer(Answer):
    """The selected numbers, added up."""

    numbers: int
    states: dict[State, int] = Field(description="how many numbers are in each state")
    needs_somebody: int = Field(description="how many numbers need somebody")
    mends_itself: int = Field(description="how many numbers have a trouble that passes by itself")
    backlog: CountAnswer
    dead: CountAnswer
    memory: int = Field(description="bytes of all workers together")
    clients: list[ClientAnswer] = Field(description="by name")
    causes: list[CauseAnswer] = Field(
        description="one entry for each cause of each client: those that need somebody first, "
        "then those that most numbers have"
    )


class NumbersAnswer(Answer):
    """The numbers, and what they add up to."""

    numbers: list[NumberAnswer]
    summary: SummaryAnswer
    merging: Literal["on", "idle", "unavailable", "off"] = Field(
        description="whether the kernel merges equal memory pages of workers"
    )


def describe_proxy(place: str) -> ProxyAnswer:
    kind, _, rest = place.partition("://")
    host, _, port = rest.rpartition(":")
    return ProxyAnswer.model_validate({"kind": kind, "host": host.strip("[]"), "port": port})


def describe_count(count: ByDirection) -> CountAnswer:
    return CountAnswer(into=count.into, out=count.out)


def describe_error(error: LastError, state: State, language: str) -> LastErrorAnswer:
    told = translate_error(error, language, parked=state is State.PARKED)
    return LastErrorAnswer(code=told.code, message=told.message, action=told.action)


def describe(view: View, language: str) -> NumberAnswer:
    return NumberAnswer(
        number=view.number,
        name=view.client,
        client=view.client,
        status=view.status,
        state=view.state,
        attention=view.attention,
        since=view.since,
        restarts=view.restarts,
        last_error=view.last_error and describe_error(view.last_error, view.state, language),
        last_heard=view.last_heard,
        backlog=describe_count(view.backlog),
        dead=describe_count(view.dead),
        oldest_waiting=view.oldest_waiting,
        memory=view.worker and view.worker.memory,
        merged=view.worker and view.worker.merged,
        proxy=view.proxy and describe_proxy(view.proxy),
        url_planfix=view.url_planfix,
        provider_id=view.provider_id,
        user_email=view.user_email,
        worker=view.worker and WorkerAnswer.model_validate(view.worker),
        governor=view.budgets and describe_budgets(view.budgets),
        chats=view.chats and ChatSelectionAnswer.model_validate(view.chats.selection),
        history_since=view.chats and view.chats.history_since,
    )
