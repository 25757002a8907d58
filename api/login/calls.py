"""The calls that log a number in, draw its QR code, and export its session."""

from __future__ import annotations

from io import BytesIO

import segno
from quart import Blueprint, Response, request
from quart_schema import document_request, document_response, tag

from api.admission import OPERATOR, admit, admit_as, admit_operator_to, audited
from api.context import context
from api.login.models import (
    CodeEntry,
    ExportOrder,
    LinkAnswer,
    LoginAnswer,
    LoginOrder,
    PasswordEntry,
    SessionAnswer,
    describe_login,
)
from api.requests.body import read_body, validate
from api.requests.models import respond
from api.requests.openapi import ADMIN, ADMIN_OR_TOKEN, gives, needs
from supervisor.errors import NotLoggingIn

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
    """Export the session as text. Whoever has this text controls the account. Stop the number before you use it elsewhere."""
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
