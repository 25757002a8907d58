"""The calls that register, list, show, stop and restart bots, and that list their people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_request, document_response, tag

from api.bots.models import (
    BotAnswer,
    BotsAnswer,
    CreatedBotAnswer,
    NewBot,
    RegisteredPeopleAnswer,
    describe_person,
)
from api.context import OPERATOR, admit_as, audited, audited_if_possible, context
from api.nodes.fleet import views_of_all_nodes
from api.numbers.answers import LastErrorAnswer, StateAnswer, StoppedAnswer, describe
from api.numbers.models import Patience, Purge
from api.requests.body import read_body, read_query, respond, validate
from api.requests.openapi import ADMIN, ADMIN_OR_TOKEN, needs
from api.texts import reader_language
from supervisor.numbers.state import State
from supervisor.texts import translate_error
from supervisor.texts.bot_texts import about_bot

if TYPE_CHECKING:
    from supervisor.numbers.view import View
    from supervisor.store.values import Bot

blueprint = Blueprint("bots", __name__, url_prefix="/bots")


@blueprint.post("")
@tag(["bots"])
@needs(ADMIN)
@document_request(NewBot)
@document_querystring(Patience)
@document_response(CreatedBotAnswer, 201)
async def post_bot() -> Response:
    """Register a bot with the token that BotFather gave for it, and start it."""
    context().authenticator.require_operator(request)
    settings, gateway = context().settings, context().gateway
    rules = {"allow_private_planfix": settings.allow_private_planfix}
    new = validate(NewBot, await read_body(request), **rules).as_value(settings.language)
    wait = validate(Patience, read_query(request)).wait
    work = gateway.bots.create(new, OPERATOR)
    key = await audited_if_possible(work, OPERATOR, "started", new.number)
    view = await gateway.wait_settled(new.number, wait)
    answer = CreatedBotAnswer(
        bot=new.number,
        username=(await gateway.bots.get(new.number)).username,
        key=key,
        name=view.client,
        status=view.status,
        state=view.state,
    )
    return respond(answer, 201)


@blueprint.get("")
@tag(["bots"])
@needs(ADMIN)
@document_response(BotsAnswer)
async def get_bots() -> Response:
    """List all bots."""
    context().authenticator.require_operator(request)
    bots = await context().gateway.bots.list()
    views = await views_of_all_nodes(are_bots=True)
    shown = [_describe(bots[view.number], view) for view in views if view.number in bots]
    return respond(BotsAnswer(bots=shown))


@blueprint.get("/<bot>")
@tag(["bots"])
@needs(ADMIN_OR_TOKEN)
@document_response(BotAnswer)
async def get_bot(bot: str) -> Response:
    """Show everything about one bot."""
    digits, _ = await admit_as(bot)
    found = await context().gateway.bots.get(digits)
    return respond(_describe(found, await context().gateway.show(digits)))


@blueprint.delete("/<bot>")
@tag(["bots"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(Purge)
@document_response(StoppedAnswer)
async def delete_bot(bot: str) -> Response:
    """Stop a bot; with `purge`, erase its data and its people too."""
    digits, who = await admit_as(bot)
    await context().gateway.bots.get(digits)
    purge = validate(Purge, read_query(request)).purge
    work = context().gateway.stop(digits, purge=purge)
    was_running = await audited(work, who, "purged" if purge else "stopped", digits)
    return respond(StoppedAnswer(was_running=was_running))


@blueprint.post("/<bot>/restart")
@tag(["bots"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(Patience)
@document_response(StateAnswer)
async def post_restart(bot: str) -> Response:
    """Stop a bot and start it again; if its login was lost, the bot logs in again with its token."""
    digits, who = await admit_as(bot)
    wait = validate(Patience, read_query(request)).wait
    await audited(context().gateway.bots.restart(digits, who), who, "restarted", digits)
    view = await context().gateway.wait_settled(digits, wait)
    return respond(StateAnswer(status=view.status, state=view.state))


@blueprint.get("/<bot>/people")
@tag(["bots"])
@needs(ADMIN_OR_TOKEN)
@document_response(RegisteredPeopleAnswer)
async def get_people(bot: str) -> Response:
    """List who has registered with a bot."""
    digits, _ = await admit_as(bot)
    people = await context().gateway.bots.list_people(digits)
    return respond(RegisteredPeopleAnswer(people=[describe_person(person) for person in people]))


def _describe(bot: Bot, view: View) -> BotAnswer:
    language = reader_language()
    shown = describe(view, language)
    if view.last_error is not None:
        told = translate_error(view.last_error, language, parked=view.state is State.PARKED)
        told = about_bot(told, language)
        error = LastErrorAnswer(code=told.code, message=told.message, action=told.action)
        shown = shown.model_copy(update={"last_error": error})
    return BotAnswer(**dict(shown), bot=bot.bot, username=bot.username, language=bot.language)
