"""The calls that notify people, report the outcome, and keep templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field
from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_request, document_response, tag

from api.context import context
from api.notifications.models import (
    DeletedTemplateAnswer,
    EntityAnswer,
    NotificationAnswer,
    NotifyAnswer,
    NotifyBody,
    PreviewAnswer,
    PreviewBody,
    RecipientAnswer,
    RejectedAnswer,
    TemplateAnswer,
    TemplateBody,
    addresses_of,
)
from api.requests.body import (
    LARGEST,
    Wait,
    read_body,
    read_pairs,
    read_query,
    require_unique,
    respond,
    validate,
)
from api.requests.errors import ApiError, translated
from api.requests.openapi import ADMIN_OR_TOKEN, TOKEN, needs
from api.security.authenticator import presented_key
from supervisor.errors import NotificationUnknown, TemplateUnknown
from supervisor.notifications.formatting.templates import Template, TextFormat
from supervisor.notifications.notice import beside_loop, make_notice
from supervisor.notifications.notification_service import Sender

if TYPE_CHECKING:
    from api.requests.body import Pairs
    from supervisor.notifications.outcome import Accepted, RecipientOutcome


class Waiting(BaseModel):
    """How long the call may wait for the outcome."""

    wait: Wait = 0.0


class InLanguage(BaseModel):
    """Which version of a template is meant."""

    language: Annotated[str, Field(pattern="^(en|ru|uk)?$")] | None = None


LONGEST_NAME = 64  # characters of a template's name

blueprint = Blueprint("notifications", __name__)


@blueprint.post("/notify")
@tag(["notifications"])
@needs(TOKEN)
@document_querystring(Waiting)
@document_request(NotifyBody)
@document_response(NotifyAnswer, 202)
async def post_notify() -> Response:
    """Notify people. The notification is stored before this call is answered, and is then sent once."""
    number = await _admit_sender()
    waiting = validate(Waiting, read_query(request))
    pairs = await read_pairs(request, LARGEST)
    body = validate(NotifyBody, require_unique(_with_one_list(pairs)))
    notifications = context().gateway.notifications
    sender = await notifications.sender_of(number)
    try:
        text = await notifications.word(sender, body.wording)
    except TemplateUnknown as exc:
        raise ApiError(422, "template_unknown", str(exc)) from exc
    addresses, rejected = addresses_of(body.to)
    made = await beside_loop(len(text.text), make_notice, text, body.files, body.manner)
    notice = made.changed(rejected=rejected)
    accepted = await context().work.run(
        notifications.notify(sender, addresses, notice, body.manner, dry_run=body.dry_run)
    )
    if accepted.id is not None and waiting.wait:
        outcomes = await notifications.wait(number, accepted.id, waiting.wait)
        return respond(WaitedAnswer(**dict(answer_of(accepted)), recipients=_shown(outcomes)), 202)
    return respond(answer_of(accepted), 202)


def _with_one_list(pairs: Pairs) -> Pairs:
    """Make a list of recipients that a form names one by one."""
    to = [value for name, value in pairs if name == "to"]
    others = [pair for pair in pairs if pair[0] != "to"]
    return [("to", to), *others] if len(to) > 1 else pairs


class WaitedAnswer(NotifyAnswer):
    """The notification is stored; the answer also has the outcome for each recipient so far."""

    recipients: list[RecipientAnswer]


@blueprint.get("/notify/<notification>")
@tag(["notifications"])
@needs(ADMIN_OR_TOKEN)
@document_response(NotificationAnswer)
async def get_notification(notification: str) -> Response:
    """Show the outcome of a notification."""
    owner = await _admit_owner()
    if "\0" in notification:  # PostgreSQL cannot look for it
        raise NotificationUnknown
    notifications = context().gateway.notifications
    number = owner or await notifications.number_of(notification)
    outcomes = await notifications.show(number, notification)
    return respond(NotificationAnswer(id=notification, recipients=_shown(outcomes)))


@blueprint.post("/notify/preview")
@tag(["notifications"])
@needs(ADMIN_OR_TOKEN)
@document_request(PreviewBody)
@document_response(PreviewAnswer)
async def post_preview() -> Response:
    """Show how a text or a template with data will look; nothing is sent."""
    owner = await _admit_owner()
    body = validate(PreviewBody, await read_body(request, LARGEST))
    notifications = context().gateway.notifications
    language = context().settings.language
    sender = await notifications.sender_of(owner) if owner else Sender("", True, language)
    wording = body.wording._replace(is_template=body.data is not None)
    text = await notifications.word(sender, wording)
    return respond(
        PreviewAnswer(
            text=text.text,
            parts=await beside_loop(len(text.text), text.count_parts),
            entities=[
                EntityAnswer(
                    type=mark.kind, offset=mark.offset, length=mark.length, value=mark.value
                )
                for mark in text.marks
            ],
        )
    )


@blueprint.get("/templates/<name>")
@tag(["notifications"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(InLanguage)
@document_response(TemplateAnswer)
async def get_template(name: str) -> Response:
    """Show a template: the caller's own, the operator's, or one that exists from the start."""
    owner = await _admit_owner()
    _require_name(name)
    language = validate(InLanguage, read_query(request)).language
    template = await context().gateway.notifications.find_template(
        owner or "", name, language or context().settings.language
    )
    return respond(_template_answer(name, template))


@blueprint.put("/templates/<name>")
@tag(["notifications"])
@needs(ADMIN_OR_TOKEN)
@document_request(TemplateBody)
@document_response(TemplateAnswer)
async def put_template(name: str) -> Response:
    """Store a template; with the admin key, it is for everybody."""
    owner = await _admit_owner()
    _require_name(name)
    body = validate(TemplateBody, await read_body(request))
    template = Template(body.text, TextFormat(body.format), body.language)
    await context().gateway.notifications.save_template(owner, name, template)
    return respond(_template_answer(name, template))


@blueprint.delete("/templates/<name>")
@tag(["notifications"])
@needs(ADMIN_OR_TOKEN)
@document_querystring(InLanguage)
@document_response(DeletedTemplateAnswer)
async def delete_template(name: str) -> Response:
    """Delete the caller's own template, in one language or in all."""
    owner = await _admit_owner()
    _require_name(name)
    language = validate(InLanguage, read_query(request)).language
    await context().gateway.notifications.delete_template(owner, name, language)
    return respond(DeletedTemplateAnswer(name=name))


def _require_name(name: str) -> None:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ApiError(
            400, "invalid_request", f"a name has at most {LONGEST_NAME} visible characters"
        )


async def _admit_sender() -> str:
    """Return the bot or the number whose key was shown."""
    return await context().authenticator.require_token(request, presented_key(request), None)


async def _admit_owner() -> str | None:
    """Return the bot or number that calls; None stands for the operator."""
    number = await context().gateway.tokens.number_of(presented_key(request), None)
    if number is None:
        context().authenticator.require_operator(request)
    return number


def answer_of(accepted: Accepted) -> NotifyAnswer:
    return NotifyAnswer(
        id=accepted.id,
        accepted=accepted.accepted,
        rejected=[
            RejectedAnswer(to=each.to, code=each.code, detail=str(translated(each.detail)))
            for each in accepted.rejected
        ],
    )


def _shown(outcomes: list[RecipientOutcome]) -> list[RecipientAnswer]:
    return [
        RecipientAnswer(
            to=each.to,
            state=each.outcome.state.value,
            message_id=each.outcome.message_id,
            error=each.outcome.error,
        )
        for each in outcomes
    ]


def _template_answer(name: str, template: Template) -> TemplateAnswer:
    return TemplateAnswer(
        name=name, text=template.text, format=template.format.value, language=template.language
    )
