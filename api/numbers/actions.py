"""The call that does one thing to many numbers."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from quart import Blueprint, Response, request
from quart_schema import document_request, document_response, tag

from api.context import OPERATOR, audited, context, require_here
from api.nodes.fleet import views_of_all_nodes
from api.nodes.forwarding import NotAnswered, find_forwarding, is_forwarded
from api.requests.body import Answer, Body, ClientName, Digits, read_body, respond, validate
from api.requests.errors import ApiError, from_gateway, not_found, translated
from api.requests.openapi import ADMIN, needs
from supervisor.errors import GatewayError, NumberElsewhere, NumberWithoutOwner
from supervisor.numbers.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.numbers.view import View

MOST_NUMBERS = 1000
AT_ONCE = 16  # numbers; the stop of a worker may take seconds

logger = logging.getLogger(__name__)

Action = Literal["restart", "stop", "start", "replay"]
DONE_AS = {"restart": "restarted", "stop": "stopped", "start": "started", "replay": "replayed"}


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class WantedAction(Body):
    """What to do, and to which numbers; selectors that are given together all have to fit."""

    action: Action = Field(
        description="`restart` leaves stopped numbers alone; `start` starts those that are stopped or parked; "
        "`replay` sends all dead letters again"
    )
    numbers: Annotated[
        Annotated[list[Digits], Field(max_length=MOST_NUMBERS)] | None, BeforeValidator(_split)
    ] = Field(None, description="these numbers; in a form separated by commas")
    client: ClientName | None = Field(None, description="the numbers of this client")
    state: State | None = Field(None, description="the numbers in this state")

    @model_validator(mode="after")
    def _select_something(self) -> Self:
        if self.numbers is None and self.client is None and self.state is None:
            raise ValueError("needs numbers, client or state")
        return self


class ActionAnswer(Answer):
    """What was done with one number."""

    number: str
    outcome: Literal["done", "skipped", "failed"] = Field(
        description="`skipped`: there was nothing to do"
    )
    state: State | None = Field(description="the state afterwards")
    replayed: int | None = Field(description="how many dead letters are sent again")
    error: str | None = Field(description="the code of the error, if it failed")
    detail: str | None = Field(description="why it failed")


class ActionsAnswer(Answer):
    """What was done with each number."""

    numbers: list[ActionAnswer]


blueprint = Blueprint("actions", __name__, url_prefix="/numbers/actions")


@blueprint.post("")
@tag(["numbers"])
@needs(ADMIN)
@document_request(WantedAction)
@document_response(ActionsAnswer)
async def post_actions() -> Response:
    """Restart, stop or start many numbers, or replay their dead letters."""
    context().authenticator.require_operator(request)
    wanted = validate(WantedAction, await read_body(request))
    if is_forwarded():
        views = await context().gateway.numbers(wanted.client, wanted.state)
    else:
        views = await views_of_all_nodes(wanted.client, wanted.state)
    chosen = [view for view in views if wanted.numbers is None or view.number in wanted.numbers]
    slots, elsewhere = asyncio.Semaphore(AT_ONCE), defaultdict[str, list[str]](list)
    tried = [_act(view, wanted.action, slots, elsewhere) for view in chosen]
    outcomes = [each for each in await asyncio.gather(*tried) if each is not None]
    asked = [
        _ask(url, wanted.action, numbers[start : start + AT_ONCE])
        for url, numbers in elsewhere.items()
        for start in range(0, len(numbers), AT_ONCE)
    ]
    for answered in await asyncio.gather(*asked):
        outcomes += answered
    return respond(ActionsAnswer(numbers=[*outcomes, *_missing(wanted, chosen)]))


async def _ask(url: str, action: Action, numbers: Sequence[str]) -> list[ActionAnswer]:
    """Let another node act on numbers that it runs."""
    body = {"action": action, "numbers": numbers}
    try:
        answer = await find_forwarding().post(url, "/numbers/actions", body)
        return ActionsAnswer.model_validate_json(answer).numbers
    except (NotAnswered, ValueError) as exc:
        logger.warning("node %s does not say what it did with numbers: %s", url, exc)
        error = from_gateway(NumberWithoutOwner())
        return [_failed(number, error) for number in numbers]


def _missing(wanted: WantedAction, chosen: Sequence[View]) -> list[ActionAnswer]:
    """Report the named numbers that do not exist, or do not fit the other selectors."""
    found = {view.number for view in chosen}
    unknown = not_found("the number does not exist, or is not of this client and in this state")
    missing = dict.fromkeys(each for each in wanted.numbers or () if each not in found)
    return [_failed(number, unknown) for number in missing]


async def _act(
    view: View, action: Action, slots: asyncio.Semaphore, elsewhere: dict[str, list[str]]
) -> ActionAnswer | None:
    """Act on a number, or note which node runs it."""
    if not _is_due(view, action):
        return _answer(view.number, "skipped", view.state)
    async with slots:
        try:
            await require_here(view.number)
            return await _do(view.number, action)
        except NumberElsewhere as there:
            if is_forwarded():
                error = from_gateway(NumberWithoutOwner())
                return _failed(view.number, error)
            elsewhere[there.url].append(view.number)
            return None
        except GatewayError as exc:
            error = from_gateway(exc)
            return _failed(view.number, error)


def _is_due(view: View, action: Action) -> bool:
    match action:
        case "restart" | "stop":
            return view.state is not State.STOPPED
        case "start":
            return view.state in {State.STOPPED, State.PARKED}
        case "replay":
            return view.dead.total > 0


async def _do(number: str, action: Action) -> ActionAnswer:
    gateway = context().gateway
    if action == "replay":
        work = gateway.messages.replay_all(number)
        count = await audited(work, OPERATOR, DONE_AS[action], number, "messages: {}".format)
        return _answer(number, "done", (await gateway.show(number)).state, count)
    if action == "stop":
        await audited(gateway.stop(number), OPERATOR, DONE_AS[action], number)
    else:
        await audited(gateway.restart(number), OPERATOR, DONE_AS[action], number)
    return _answer(number, "done", (await gateway.show(number)).state)


def _answer(
    number: str,
    outcome: Literal["done", "skipped"],
    state: State,
    replayed: int | None = None,
) -> ActionAnswer:
    return ActionAnswer(
        number=number, outcome=outcome, state=state, replayed=replayed, error=None, detail=None
    )


def _failed(number: str, error: ApiError) -> ActionAnswer:
    detail = str(translated(error.detail))
    return ActionAnswer(
        number=number, outcome="failed", state=None, replayed=None, error=error.code, detail=detail
    )
