"""The calls for signing in and out, and for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from quart import Blueprint, Response, request
from quart_schema import document_querystring, document_request, document_response

from teamflame.accounts.proof import Caller
from teamflame.web.admission import (
    admit,
    admit_person,
    caller_address,
    key,
    query,
    read,
    respond,
    teamflame,
)
from teamflame.web.errors import register_errors
from teamflame.web.models import (
    AccountAnswer,
    LaunchAnswer,
    NothingAnswer,
    OfSpace,
    PeopleAnswer,
    PersonAnswer,
    SelectionAnswer,
    SignInAnswer,
    SignInBody,
    UserAnswer,
)
from teamflame.web.openapi import call

if TYPE_CHECKING:
    from teamflame.store.accounts import Account

blueprint = Blueprint("teamflame_auth", __name__, url_prefix="/teamflame/api")
register_errors(blueprint)


@blueprint.post("/auth/telegram")
@call("auth")
@document_response(LaunchAnswer)
async def post_launch() -> Response:
    """Exchange the data of a launch, or a token that is still valid, for a short token."""
    shared, caller = teamflame(), admit()
    token, expires = shared.make_token(caller)
    account = await shared.accounts.find(caller)
    chosen = None
    if caller.user_id is not None and account is not None:
        chosen = await shared.choices.selection_of(caller.user_id)
    return respond(
        LaunchAnswer(
            token=token,
            expires_at=datetime.fromtimestamp(expires, UTC),
            user=_user(caller),
            account=None if account is None else AccountAnswer.model_validate(account),
            selection=None if chosen is None else SelectionAnswer.model_validate(chosen),
            start_param=caller.start_param,
        )
    )


@blueprint.post("/auth/sign-in")
@call("auth", is_open=True)
@document_request(SignInBody)
@document_response(SignInAnswer)
async def post_sign_in() -> Response:
    """Sign in to TeamFlame; without a proof of Telegram's, the answer has a token for the next calls.

    The password is passed on to TeamFlame and not kept.
    """
    shared = teamflame()
    caller = admit() if "Authorization" in request.headers else None
    body = await read(SignInBody)
    password = body.password.get_secret_value()
    if caller is not None and caller.user_id is not None:
        account = await shared.accounts.sign_in(f"user {caller.user_id}", body.email, password)
        await shared.accounts.link(caller.user_id, caller.language, account)
        return respond(SignInAnswer(account=AccountAnswer.model_validate(account)))
    account = await shared.accounts.sign_in(f"address {caller_address()}", body.email, password)
    return respond(_token_of(account))


@blueprint.post("/auth/sign-out")
@call("auth")
@document_response(NothingAnswer)
async def post_sign_out() -> Response:
    """Forget the caller's account, choices and subscriptions."""
    _, user_id = admit_person()
    await teamflame().accounts.sign_out(user_id)
    return respond(NothingAnswer())


@blueprint.get("/users/me")
@call("users")
@document_response(AccountAnswer)
async def get_me() -> Response:
    """Show the account that the caller has signed in to."""
    shared = teamflame()
    person = await shared.call(admit(), shared.service.users.me)
    return respond(AccountAnswer.model_validate(person))


@blueprint.get("/users")
@call("users")
@document_querystring(OfSpace)
@document_response(PeopleAnswer)
async def get_people() -> Response:
    """List who may be assigned in the space `space_id`."""
    shared, caller = teamflame(), admit()
    people = await shared.call(caller, shared.service.users.of_space, query("space_id"))
    return respond(PeopleAnswer(people=[PersonAnswer.model_validate(each) for each in people]))


def _user(caller: Caller) -> UserAnswer | None:
    if caller.user_id is None:
        return None
    return UserAnswer(id=caller.user_id, first_name=caller.first_name, language=caller.language)


def _token_of(account: Account) -> SignInAnswer:
    now = int(datetime.now(UTC).timestamp())
    caller = Caller(user_id=None, account=key(account.id), since=now)
    token, expires = teamflame().make_token(caller)
    return SignInAnswer(
        account=AccountAnswer.model_validate(account),
        token=token,
        expires_at=datetime.fromtimestamp(expires, UTC),
    )
