"""The calls that log a number in, draw its QR code, and export its session, with their bodies and answers."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, Literal

import segno
from pydantic import BeforeValidator, Field
from quart import Blueprint, Response, request
from quart_schema import document_request, document_response, tag

from api.context import OPERATOR, admit, admit_as, admit_operator_to, audited, context
from api.requests.body import Answer, Body, Text, read_body, respond, validate
from api.requests.openapi import ADMIN, ADMIN_OR_TOKEN, gives, needs
from supervisor.errors import NotLoggingIn
from supervisor.login.login_service import LoginMethod

if TYPE_CHECKING:
    from supervisor.login.login_service import Progress


class LoginOrder(Body):
    """How the owner of the number wants to log in."""

    method: LoginMethod


def _code_as_text(value: Any) -> Any:
    """Restore the digits of a code that was sent as a number."""
    return f"{value:05}" if isinstance(value, int) and not isinstance(value, bool) else value


class CodeEntry(Body):
    """The code that Telegram sent."""

    code: Annotated[
        Text, BeforeValidator(_code_as_text), Field(min_length=1, max_length=32, repr=False)
    ]


class PasswordEntry(Body):
    """The password of the Telegram account."""

    password: str = Field(min_length=1, max_length=1024, repr=False)


class ExportOrder(Body):
    """The format in which the session is exported."""

    format: Literal["string"]


class LoginAnswer(Answer):
    """The progress of the login."""

    state: str
    qr_url: str | None = Field(None, repr=False, exclude_if=lambda url: url is None)
    expires_at: datetime | None = Field(None, exclude_if=lambda moment: moment is None)


class LinkAnswer(Answer):
    """A one-time page on which the client logs in."""

    url: str = Field(repr=False)
    expires_at: datetime


class SessionAnswer(Answer):
    """The session as text. Anyone who has it controls the account."""

    string_session: str = Field(repr=False)


def describe_login(progress: Progress) -> LoginAnswer:
    if progress.qr is None:
        return LoginAnswer(state=progress.state)
    return LoginAnswer(
        state=progress.state, qr_url=progress.qr.url, expires_at=progress.qr.expires_at
    )


blueprint = Blueprint("login", __name__, url_prefix="/numbers/<number>")


@blueprint.post("/login")
@tag(["login"])
@needs(ADMIN_OR_TOKEN)
@document_request(LoginOrder)
@document_response(LoginAnswer, 202)
async def post_login(number: str) -> Response:
    """Begin a login. With the method `qr`, the current QR code is drawn at `login/qr.svg`."""
    digits, who = await admit_as(number)
    method = validate(LoginOrder, await read_body(request)).method
    work = context().gateway.logins.begin(digits, method, who)
    progress = await audited(work, who, "login_begun", digits, f"by {method}")
    return respond(describe_login(progress), 202)


@blueprint.post("/login/code")
@tag(["login"])
@needs(ADMIN_OR_TOKEN)
@document_request(CodeEntry)
@document_response(LoginAnswer)
async def post_login_code(number: str) -> Response:
    """Enter the code that Telegram sent."""
    digits = await admit(number)
    code = validate(CodeEntry, await read_body(request)).code
    work = context().gateway.logins.enter_code(digits, code)
    return respond(describe_login(await context().work.run(work)))


@blueprint.post("/login/password")
@tag(["login"])
@needs(ADMIN_OR_TOKEN)
@document_request(PasswordEntry)
@document_response(LoginAnswer)
async def post_login_password(number: str) -> Response:
    """Enter the password of the account."""
    digits = await admit(number)
    password = validate(PasswordEntry, await read_body(request)).password
    work = context().gateway.logins.enter_password(digits, password)
    return respond(describe_login(await context().work.run(work)))


@blueprint.get("/login/qr.svg")
@tag(["login"])
@needs(ADMIN_OR_TOKEN)
@gives("image/svg+xml")
async def get_login_qr(number: str) -> Response:
    """Draw the current QR code."""
    digits = await admit(number)
    progress = await context().gateway.logins.watch(digits)
    if progress.qr is None:
        raise NotLoggingIn
    return draw_qr(progress.qr.url)


@blueprint.post("/login/link")
@tag(["login"])
@needs(ADMIN)
@document_response(LinkAnswer, 201)
async def post_login_link(number: str) -> Response:
    """Make a one-time page on which the client logs in; the previous link stops working."""
    digits = admit_operator_to(number)
    work = context().gateway.links.make(digits)
    link = await audited(work, OPERATOR, "login_link_made", digits)
    return respond(
        LinkAnswer(url=context().settings.login_url(link.secret), expires_at=link.expires_at), 201
    )


@blueprint.post("/session/export")
@tag(["login"])
@needs(ADMIN)
@document_request(ExportOrder)
@document_response(SessionAnswer)
async def post_session_export(number: str) -> Response:
    """Export the session as text. Anyone who has this text controls the account. Stop the number before you use it elsewhere."""
    digits = admit_operator_to(number)
    order = validate(ExportOrder, await read_body(request))
    work = context().gateway.sessions.export(digits)
    session = await audited(work, OPERATOR, "session_exported", digits, f"as {order.format}")
    return respond(SessionAnswer(string_session=session))


def draw_qr(text: str) -> Response:
    drawn = BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", scale=8, border=2, light="#fff", svgclass=None, lineclass=None
    )
    return Response(drawn.getvalue(), content_type="image/svg+xml")
