"""The one-time page on which a client logs a number in."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from quart import Blueprint, Response, jsonify, render_template, request
from quart_schema import hide

from api.context import LINK, audited, context, require_here
from api.login.calls import draw_qr
from api.nodes.forwarding import forward
from api.requests.body import read_body, validate
from api.requests.errors import ApiError, from_gateway, invalid, not_found
from api.texts import LOGIN_PAGE, complain, page_language
from supervisor import errors
from supervisor.login.login_service import LoginMethod
from supervisor.numbers.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.login.login_service import Progress
    from supervisor.store.values import LoginLink


blueprint = Blueprint("login_page", __name__, url_prefix="/login/<secret>")

_TOLD_AT_START = frozenset({"wrong_account", "login_refused", "account_banned"})
_CONTENT_SECURITY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("connect", "img", "script", "style")),
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class Step(BaseModel):
    """What a person sent from the page: one of these fields."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    method: LoginMethod | None = None
    code: str | None = Field(None, repr=False)
    password: str | None = Field(None, repr=False)


@blueprint.get("/")
@hide
async def get_login_page(secret: str) -> Response:
    link = await _open(secret)
    if link.is_used:
        return await _page(PageStage.DONE, link.number, status=HTTPStatus.GONE)
    progress = await context().gateway.logins.watch(link.number)
    return await _page(page_stage_of(progress), link.number, progress)


@blueprint.post("/")
@hide
async def post_login_page(secret: str) -> Response:
    _refuse_foreign()
    number = await _open_unused(secret)
    step = validate(Step, await read_body(request))
    try:
        progress = await _carry_out(number, step)
    except (errors.LoginError, errors.TelegramUnreachable) as error:
        return await _report_failure(number, error)
    if progress.is_open:
        # The answer to a form cannot be reloaded without sending the form again.
        return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "./"})
    return await _page(PageStage.DONE, number, progress)


@blueprint.get("/state")
@hide
async def get_login_state(secret: str) -> Response:
    """Tell the page how far the login has come."""
    link = await _open(secret)
    if link.is_used:
        return jsonify({"stage": PageStage.DONE})
    progress = await context().gateway.logins.watch(link.number)
    return jsonify({"stage": page_stage_of(progress), "version": version_of(progress)})


@blueprint.get("/qr.svg")
@hide
async def get_login_page_qr(secret: str) -> Response:
    progress = await context().gateway.logins.watch(await _open_unused(secret))
    if progress.qr is None:
        raise not_found("this login shows no QR code")
    return draw_qr(progress.qr.url)


@blueprint.errorhandler(errors.LinkDead)
async def answer_dead_link(_error: errors.LinkDead) -> Response:
    return await _render("login_closed.html", HTTPStatus.GONE, reason="dead")


@blueprint.errorhandler(errors.NumberElsewhere)
async def hand_over(error: errors.NumberElsewhere) -> Response:
    return await forward(error)


@blueprint.errorhandler(errors.GatewayError)
async def answer_trouble(error: errors.GatewayError) -> Response:
    return await answer_bad_call(from_gateway(error))


@blueprint.errorhandler(ApiError)
async def answer_bad_call(error: ApiError) -> Response:
    return await _render(
        "login_closed.html", error.status, reason="trouble", how=_words()["trouble"]
    )


async def _open(secret: str) -> LoginLink:
    link = await context().gateway.links.open(secret)
    await require_here(link.number)
    return link


async def _open_unused(secret: str) -> str:
    link = await _open(secret)
    if link.is_used:
        raise errors.LinkDead
    return link.number


async def _carry_out(number: str, step: Step) -> Progress:
    logins = context().gateway.logins
    match step:
        case Step(method=LoginMethod() as method):
            work = logins.begin(number, method, LINK)
            return await audited(work, LINK, "login_begun", number, f"by {method}")
        case Step(code=str() as code):
            return await context().work.run(logins.enter_code(number, code))
        case Step(password=str() as password):
            return await context().work.run(logins.enter_password(number, password))
        case _:
            raise invalid("body", "must contain a method, a code or a password")


def _refuse_foreign() -> None:
    """Accept forms only from our own page; the secret link is the stronger part of this protection."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin", "null")
    ours = {request.host, urlsplit(context().settings.public_url).netloc}
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        # A page without a referrer, like ours, sends no origin either.
        is_ours = origin == "null" or urlsplit(origin).netloc in ours
    if not is_ours:
        raise ApiError(403, "foreign_page", "the form was sent from another site")


async def _report_failure(number: str, error: errors.GatewayError) -> Response:
    answer = from_gateway(error)
    seconds = error.retry_after if isinstance(error, errors.LoginFlood) else None
    progress = await context().gateway.logins.watch(number)
    complaint = complain(answer.code, _words(), seconds)
    page = await _page(page_stage_of(progress), number, progress, complaint, answer.status)
    page.headers.update(answer.headers)
    return page


async def _page(
    stage: PageStage,
    number: str,
    progress: Progress | None = None,
    complaint: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    view = await context().gateway.show(number)
    if stage is PageStage.START and view.last_error and view.last_error.code in _TOLD_AT_START:
        complaint = complaint or complain(view.last_error.code, _words())
    return await _render(
        f"login_{stage}.html",
        status,
        name=view.client,
        number=number,
        complaint=complaint,
        hint=progress.hint if progress else "",
        version=version_of(progress) if progress else "",
        is_online=progress is None or page_stage_of(progress) is PageStage.DONE,
    )


async def _render(template: str, status: int, **values: Any) -> Response:
    language = page_language(LOGIN_PAGE)
    text = await render_template(template, t=LOGIN_PAGE[language], language=language, **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY
    response.headers["Vary"] = "Accept-Language"
    return response


def _words() -> Mapping[str, str]:
    return LOGIN_PAGE[page_language(LOGIN_PAGE)]


_LOGGED_IN = frozenset({State.ONLINE, State.LIMITED, State.RECONNECTING, State.DEAF})


class PageStage(StrEnum):
    """What the person must do next."""

    START = "start"
    QR = "qr"
    CODE = "code"
    PASSWORD = "password"  # noqa: S105 - a stage, not a secret
    DONE = "done"


def page_stage_of(progress: Progress) -> PageStage:
    if not progress.is_open:
        return PageStage.DONE if progress.state in _LOGGED_IN else PageStage.START
    if progress.qr is not None:
        return PageStage.QR
    return PageStage.PASSWORD if progress.state is State.NEEDS_PASSWORD else PageStage.CODE


def version_of(progress: Progress) -> str:
    """Distinguish one QR code from the next without revealing its content."""
    return hashlib.sha256(progress.qr.url.encode()).hexdigest()[:16] if progress.qr else ""
