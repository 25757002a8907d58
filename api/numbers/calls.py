"""The calls about one number: those at /webhook, which start, change, and stop it, and those at /numbers/{number}."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_request, document_response, tag

from api.context import (
    OPERATOR,
    admit,
    admit_as,
    audited,
    audited_if_possible,
    context,
    name_of,
    require_here,
)
from api.nodes.forwarding import hand_over_instead, is_forwarded
from api.numbers.answers import (
    CreatedAnswer,
    NumberAnswer,
    StateAnswer,
    StoppedAnswer,
    describe,
)
from api.numbers.models import (
    SESSION_FIELDS,
    AskedNumber,
    ChangedNumber,
    NamedNumber,
    NewNumber,
    Patience,
    Purge,
    StoppedNumber,
)
from api.requests.body import Numbered, read_body, read_body_or_query, read_query, respond, validate
from api.requests.errors import not_found, operator_only, unauthorized
from api.requests.openapi import ADMIN, ADMIN_OR_TOKEN, needs
from api.texts import reader_language
from supervisor.errors import NumberElsewhere

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from api.requests.body import Fields
    from supervisor.login.session_transfer import SessionSource
    from supervisor.numbers.view import View

Named = TypeVar("Named", bound=NamedNumber)

blueprint = Blueprint("numbers", __name__)
_ASKED = frozenset(NamedNumber.model_fields)
_STOPPED = frozenset(StoppedNumber.model_fields)


@blueprint.post("/webhook")
@tag(["webhook"])
@needs(ADMIN)
@document_request(NewNumber)
@document_querystring(Patience)
@document_response(CreatedAnswer, 201)
async def post_webhook() -> Response:
    """Create a number and start it."""
    context().authenticator.require_operator(request)
    fields = await read_body(request)
    new = validate(NewNumber, fields, **_rules(is_operator=True))
    wait = validate(Patience, read_query(request)).wait
    async with _session_taken_along(fields, new.session):
        await _require_best_node(new)
    created = await audited_if_possible(
        context().gateway.create(new.as_value(), new.session), OPERATOR, "started", new.number
    )
    view = await context().gateway.wait_settled(new.number, wait)
    answer = CreatedAnswer(
        token=created.token,
        name=view.client,
        number=view.number,
        status=view.status,
        state=view.state,
        login_url=await _login_url(new.number) if view.state == "needs_login" else None,
    )
    return respond(answer, 201)


@blueprint.get("/webhook")
@tag(["webhook"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(AskedNumber)
@document_response(NumberAnswer)
async def get_webhook() -> Response:
    """Show a number."""
    fields = await read_body_or_query(request, _ASKED)
    _, _, view = await _admit_named(fields, NamedNumber)
    return respond(describe(view, reader_language()))


@blueprint.put("/webhook")
@tag(["webhook"])
@needs(ADMIN_OR_TOKEN)
@document_request(ChangedNumber)
@document_querystring(Patience)
@document_response(StateAnswer)
async def put_webhook() -> Response:
    """Stop a number, change it, and start it again. Another name or session requires the admin key."""
    fields = await read_body(request)
    number = validate(Numbered, fields).number
    is_operator = await context().authenticator.require_either(request, number)
    if not is_operator:
        _refuse_sessions(fields)
    changes = validate(ChangedNumber, fields, **_rules(is_operator=is_operator))
    wait = validate(Patience, read_query(request)).wait
    if not is_operator and changes.name is not None:
        await _refuse_other_name(number, changes.name)
    async with _session_taken_along(fields, changes.session):
        await require_here(number)
    work = context().gateway.change(number, changes.as_value(), changes.session)
    await audited(work, name_of(is_operator=is_operator), "changed", number)
    view = await context().gateway.wait_settled(number, wait)
    return respond(StateAnswer(status=view.status, state=view.state))


@blueprint.delete("/webhook")
@tag(["webhook"])
@needs(ADMIN_OR_TOKEN)
@document_request(StoppedNumber)
@document_querystring(Purge)
@document_response(StoppedAnswer)
async def delete_webhook() -> Response:
    """Stop a number; with `purge`, erase its data too."""
    fields = await read_body_or_query(request, _STOPPED)
    asked, who, view = await _admit_named(fields, StoppedNumber)
    purge = asked.purge or validate(Purge, read_query(request)).purge
    was_running = await audited(
        context().gateway.stop(view.number, purge=purge),
        who,
        "purged" if purge else "stopped",
        view.number,
    )
    return respond(StoppedAnswer(was_running=was_running))


async def _admit_named(fields: Fields, kind: type[Named]) -> tuple[Named, str, View]:
    """Return what is asked, who asks, and the number, which must belong to the client that is named."""
    number = validate(Numbered, fields).number
    is_operator = await context().authenticator.require_either(request, number)
    asked = validate(kind, fields)
    await require_here(number)
    view = await context().gateway.show(number)
    if view.client != asked.name:
        raise not_found() if is_operator else unauthorized()
    return asked, name_of(is_operator=is_operator), view


async def _require_best_node(new: NewNumber) -> None:
    """Raise NumberElsewhere if another node should start the number."""
    node = context().gateway.node
    reads_file = new.path_session is not None or new.name_session is not None
    # The file lies here, so the number starts here; a node that was handed the call keeps it.
    if node is None or is_forwarded():
        return
    if reads_file:
        await node.require_here(new.number)
    else:
        await node.require_best_for_new(new.number)


@asynccontextmanager
async def _session_taken_along(fields: Fields, session: SessionSource) -> AsyncIterator[None]:
    """If the call is handed to another node, put the session of our file into it."""
    try:
        yield
    except NumberElsewhere:
        text = None if is_forwarded() else await context().gateway.sessions.read_as_text(session)
        if text is not None:
            others = {name: fields[name] for name in fields if name not in SESSION_FIELDS}
            hand_over_instead({**others, "string_session": text})
        raise


def _refuse_sessions(fields: Mapping[str, object]) -> None:
    """Refuse session fields of a client, before any answer could reveal which files exist."""
    named = [name for name in SESSION_FIELDS if fields.get(name)]
    if named:
        raise operator_only(named)


async def _refuse_other_name(number: str, name: str) -> None:
    if (await context().gateway.show(number)).client != name:
        raise operator_only(["name"])


async def _login_url(number: str) -> str:
    link = await context().gateway.links.make(number)
    return context().settings.login_url(link.secret)


def _rules(*, is_operator: bool) -> dict[str, bool]:
    allow_private = context().settings.allow_private_planfix
    # Errors of a proxy must not tell a client what else is in the operator's network.
    return {
        "allow_private_planfix": allow_private,
        "allow_private_proxy": allow_private or is_operator,
    }


@blueprint.get("/numbers/<number>")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(NumberAnswer)
async def get_number(number: str) -> Response:
    """Show everything about one number."""
    digits = await admit(number)
    return respond(describe(await context().gateway.show(digits), reader_language()))


@blueprint.post("/numbers/<number>/restart")
@tag(["numbers"])
@needs(ADMIN_OR_TOKEN)
@document_response(StateAnswer)
async def post_restart(number: str) -> Response:
    """Stop a number and start it again."""
    digits, who = await admit_as(number)
    await audited(context().gateway.restart(digits), who, "restarted", digits)
    view = await context().gateway.show(digits)
    return respond(StateAnswer(status=view.status, state=view.state))
