"""Finds the handler of a method, runs it, and answers with the result."""

from __future__ import annotations

import asyncio
import inspect
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from telethon.tl import TLRequest, functions, types

from sandbox.telegram.accounts.accounts import bare_phone
from sandbox.telegram.addresses import Address
from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import NO_ANSWER, Kind, bare_method
from sandbox.telegram.placement import check_caller, check_place, may_share_key
from sandbox.telegram.protocol.newer_layer import NewerObject
from sandbox.telegram.protocol.request_check import is_well_typed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.accounts.viewer import Viewer
    from sandbox.telegram.protocol.client_keys import ClientKey, Keyring
    from sandbox.telegram.protocol.client_session import Session
    from sandbox.telegram.services import Services

logger = logging.getLogger(__name__)
_NOT_LOGGED_IN = "AUTH_KEY_UNREGISTERED"
_SERVER_ERRORS = 500
_INTERNAL = types.RpcError(500, "INTERNAL")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its session and the services for it."""

    services: Services
    session: Session
    message_id: int
    address: Address

    @property
    def keys(self) -> Keyring:
        """The keys of the data centre that the client asks."""
        return self.services.keys_at(self.address.dc_id)

    @property
    def key(self) -> ClientKey:
        return self.session.key

    @property
    def account(self) -> Account:
        """The account that sent the request; raises RpcError before the login."""
        if self.key.account is None:
            raise RpcError(_NOT_LOGGED_IN)
        return self.key.account

    @property
    def viewer(self) -> Viewer:
        """The account and login that sent the request; raises RpcError before the login."""
        if self.key.viewer is None:
            raise RpcError(_NOT_LOGGED_IN)
        return self.key.viewer


Handler = TypeVar("Handler", bound="Callable[[Call, Any], Any]")


@dataclass(frozen=True, slots=True)
class Method:
    """A handler, and whether it serves clients that are not logged in."""

    handle: Callable[[Call, Any], Any]
    anonymous: bool


METHODS: dict[type, Method] = {}


def method(*requests: type, anonymous: bool = False) -> Callable[[Handler], Handler]:
    """Register the handler of these requests; it returns the TL result or raises RpcError."""

    def register(handler: Handler) -> Handler:
        METHODS.update(dict.fromkeys(requests, Method(handler, anonymous)))
        return handler

    return register


def name_of(request: Any) -> str:
    """Return the TL name of a request in the spelling of faults, e.g. messages.sendmessage."""
    family = type(request).__module__.removeprefix("telethon.tl.functions").lstrip(".")
    name = bare_method(type(request).__name__)
    return f"{family}.{name}" if family else name


def execute(call: Call, request: Any) -> None:
    """Run a request: at once if its handler is synchronous, concurrently if it waits."""
    earlier: list[asyncio.Task[None]] = []
    try:
        request = _unwrap(call, request, earlier)
        if earlier:
            _start(call, _after(call, request, earlier))
            return
        outcome = _invoke(call, request)
        if inspect.isawaitable(outcome):
            _start(call, _finish(call, request, outcome))
        else:
            _answer(call, _in_its_layer(call, request, outcome))
    except Exception as exc:  # noqa: BLE001  # the root of every request
        _answer_failure(call, request, exc)


def _unwrap(call: Call, request: Any, earlier: list[asyncio.Task[None]]) -> Any:
    """Remove the wrappers around a request, and record what each contains."""
    silent = False
    while True:
        match request:
            case functions.InvokeWithLayerRequest():
                call.session.layer = call.key.layer = request.layer
            case functions.InitConnectionRequest():
                call.key.device = request
            case functions.InvokeWithoutUpdatesRequest():
                silent = True
            case functions.InvokeAfterMsgRequest():
                earlier += _running(call, [request.msg_id])
            case functions.InvokeAfterMsgsRequest():
                earlier += _running(call, request.msg_ids)
            case _:
                break
        request = request.query
    if not silent:
        _begin_updates(call, request)
    return request


def _running(call: Call, message_ids: list[int]) -> list[asyncio.Task[None]]:
    return [call.session.running[i] for i in message_ids if i in call.session.running]


def _begin_updates(call: Call, request: Any) -> None:
    """Begin to push updates at the first request that needs a login."""
    session, found = call.session, METHODS.get(type(request))
    if call.address != Address(call.services.dc_id):
        return
    if session.wants_updates or call.key.account is None or found is None or found.anonymous:
        return
    if may_share_key(name_of(request)):
        return
    session.wants_updates = True
    for body in call.key.drain_undelivered(session):
        session.push(body)


def _invoke(call: Call, request: Any) -> Any:
    if not isinstance(request, TLRequest):
        raise RpcError("INPUT_METHOD_INVALID")
    name = name_of(request)
    if call.session.connection and not may_share_key(name):
        call.session.connection.claim_key()
    _refuse(call, request, name)
    found = METHODS.get(type(request))
    if found is None:
        logger.warning("no handler for %s", name)
        raise RpcError(f"METHOD_INVALID_{name.upper().replace('.', '_')}")
    check_place(call.address, call.services.dc_id, name, request)
    if call.key.account is not None:
        check_caller(name, is_bot=call.key.account.bot)
    if not is_well_typed(request):
        raise RpcError("INPUT_CONSTRUCTOR_INVALID")
    if not found.anonymous and call.key.account is None:
        raise RpcError(_NOT_LOGGED_IN)
    return found.handle(call, request)


def _refuse(call: Call, request: Any, name: str) -> None:
    """Raise the error that this key, account or method must answer with, if any."""
    faults = call.services.faults
    error = faults.next_error(_phone_meant(call, request), name)
    # A server with an internal error fails before it checks the key.
    if error and error.code >= _SERVER_ERRORS:
        raise error
    if call.key.refusal:
        raise RpcError(call.key.refusal)
    if call.key.is_orphaned:
        call.keys.sign_out(call.key)
    if call.key.account and faults.holds(Kind.BAN, call.key.phone, call.services.time()):
        raise RpcError("USER_DEACTIVATED_BAN")
    if error:
        raise error


def _phone_meant(call: Call, request: Any) -> str | None:
    """Return the phone of the account that a call is about, even before the login."""
    owner = call.key.account or call.key.pending
    named: str | None = getattr(request, "phone_number", None)
    return owner.phone if owner else named and bare_phone(named)


def _start(call: Call, work: Any) -> None:
    task = call.services.tasks.start(work)
    call.session.running[call.message_id] = task
    task.add_done_callback(lambda _: call.session.running.pop(call.message_id, None))


async def _after(call: Call, request: Any, earlier: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(earlier)
    execute(call, request)


async def _finish(call: Call, request: Any, outcome: Awaitable[Any]) -> None:
    try:
        _answer(call, _in_its_layer(call, request, await outcome))
    except Exception as exc:  # noqa: BLE001  # the root of every request that waits
        _answer_failure(call, request, exc)


def _in_its_layer(call: Call, request: Any, result: Any) -> Any:
    """Replace a result with an object that the client cannot read, if a fault orders that."""
    takes = call.services.faults.is_answered_newer(_phone_meant(call, request), name_of(request))
    return NewerObject() if takes else result


def _answer_failure(call: Call, request: Any, failure: Exception) -> None:
    if isinstance(failure, RpcError):
        if failure.message != NO_ANSWER:
            _answer(call, failure.as_tl())
        return
    logger.error("the handler of %s failed", type(request).__name__, exc_info=failure)
    _answer(call, _INTERNAL)


def _answer(call: Call, result: Any) -> None:
    services = call.services
    delay = services.faults.delay(call.key.phone, services.time(), call.address.dc_id)
    if delay:
        services.tasks.later(delay, lambda: call.session.answer(call.message_id, result))
    else:
        call.session.answer(call.message_id, result)
