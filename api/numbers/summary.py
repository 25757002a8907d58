"""GET /numbers: all numbers, and what they add up to: by state, by client, and by the cause of their trouble."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_response, tag

from api.context import context
from api.nodes.fleet import views_of_all_nodes
from api.numbers.answers import (
    CauseAnswer,
    ClientAnswer,
    CountAnswer,
    NumbersAnswer,
    SummaryAnswer,
    describe,
)
from api.numbers.models import Chosen
from api.requests.body import read_filters, respond, validate
from api.requests.openapi import ADMIN, needs
from api.texts import reader_language
from supervisor.numbers.state import State, Status
from supervisor.numbers.view import Attention, attention_to
from supervisor.texts import describe_cause
from supervisor.texts.state import DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from supervisor.journal.values import ByDirection
    from supervisor.numbers.view import View


blueprint = Blueprint("summary", __name__)


@blueprint.get("/numbers")
@tag(["numbers"])
@needs(ADMIN)
@document_querystring(Chosen)
@document_response(NumbersAnswer)
async def get_numbers() -> Response:
    """List all numbers, or those of one client or in one state, and add them up."""
    context().authenticator.require_operator(request)
    chosen = validate(Chosen, read_filters(request))
    views = await views_of_all_nodes(chosen.client, chosen.state)
    merging = (await context().gateway.page_merging()).value
    language = reader_language()
    numbers = [describe(view, language) for view in views]
    summary = summarise(views, language)
    return respond(NumbersAnswer(numbers=numbers, summary=summary, merging=merging))


def summarise(views: Sequence[View], language: str) -> SummaryAnswer:
    of_client: dict[str, list[View]] = defaultdict(list)
    for view in views:
        of_client[view.client].append(view)
    return SummaryAnswer(
        numbers=len(views),
        states=dict(sorted(Counter(view.state for view in views).items())),
        needs_somebody=_count(views, Attention.NEEDS_SOMEBODY),
        mends_itself=_count(views, Attention.MENDS_ITSELF),
        backlog=_sum(view.backlog for view in views),
        dead=_sum(view.dead for view in views),
        memory=sum(view.worker.memory for view in views if view.worker),
        clients=[_add_up(client, of_client[client]) for client in sorted(of_client)],
        causes=find_causes(views, language),
    )


def find_causes(views: Iterable[View], language: str) -> list[CauseAnswer]:
    """Group the numbers that are not well; a number with dead letters has those as a cause as well."""
    groups: dict[tuple[str, str], list[View]] = defaultdict(list)
    for view in views:
        for code in _causes_of(view):
            groups[view.client, code].append(view)
    causes = [_describe(client, code, group, language) for (client, code), group in groups.items()]
    order = list(Attention)
    return sorted(causes, key=lambda each: (order.index(each.attention), -len(each.numbers)))


def _causes_of(view: View) -> Iterable[str]:
    if view.dead.total:
        yield DEAD_LETTERS
    if view.state is State.STOPPED:
        return
    if view.last_error is not None:
        yield view.last_error.code
    elif view.status is Status.OFFLINE:
        yield view.state


def _describe(client: str, code: str, group: Sequence[View], language: str) -> CauseAnswer:
    needs = {
        Attention.NEEDS_SOMEBODY if code == DEAD_LETTERS else attention_to(view.state, code)
        for view in group
    }
    told = describe_cause(code, language)
    return CauseAnswer(
        client=client,
        code=code,
        message=told.message,
        action=told.action,
        attention=min(needs, key=list(Attention).index),
        numbers=[view.number for view in group],
    )


def _add_up(client: str, views: Sequence[View]) -> ClientAnswer:
    return ClientAnswer(
        client=client,
        numbers=len(views),
        online=sum(view.status is Status.ONLINE for view in views),
        needs_somebody=_count(views, Attention.NEEDS_SOMEBODY),
        backlog=_sum(view.backlog for view in views),
        dead=_sum(view.dead for view in views),
    )


def _count(views: Iterable[View], attention: Attention) -> int:
    return sum(view.attention is attention for view in views)


def _sum(counts: Iterable[ByDirection]) -> CountAnswer:
    both = [(count.into, count.out) for count in counts]
    return CountAnswer(into=sum(into for into, _ in both), out=sum(out for _, out in both))
