"""Answers the service messages of the protocol itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.protocol.client_session import Session

TOO_OLD = 300  # seconds by which a client's clock may be behind
TOO_NEW = 30  # seconds by which it may be ahead
_NEVER_RECEIVED, _RECEIVED = 2, 4
_MAX_SALTS = 64


def flaw_of(message_id: int, unix: float) -> int | None:
    """Return the error code for a client's message id, if anything is wrong with it."""
    if message_id % 4:
        return 18
    moment = message_id >> 32
    if moment < unix - TOO_OLD:
        return 16
    return 17 if moment > unix + TOO_NEW else None


def serve(session: Session, message_id: int, message: Any) -> bool:
    """Answer a service message; return whether it was one."""
    handler = _HANDLERS.get(type(message))
    if handler is None:
        return False
    handler(session, message_id, message)
    return True


def _pong(session: Session, message_id: int, ping: Any) -> None:
    session.reply(types.Pong(message_id, ping.ping_id), content=False)


def _pong_with_deadline(session: Session, message_id: int, ping: Any) -> None:
    if session.connection:
        session.connection.disconnect_in(ping.disconnect_delay)
    _pong(session, message_id, ping)


def _acknowledge(session: Session, _message_id: int, message: Any) -> None:
    session.acknowledge(message.msg_ids)


def _answer_states(session: Session, message_id: int, message: Any) -> None:
    states = [_RECEIVED if session.has_seen(i) else _NEVER_RECEIVED for i in message.msg_ids]
    session.reply(types.MsgsStateInfo(message_id, "".join(map(chr, states))), content=False)


def _resend(session: Session, _message_id: int, message: Any) -> None:
    session.resend(message.msg_ids)


def _answer_salts(session: Session, message_id: int, message: Any) -> None:
    unix = time.time()
    count = min(max(message.num, 1), _MAX_SALTS)
    salts = [types.FutureSalt(*salt) for salt in session.key.future_salts(count, unix)]
    session.reply(types.FutureSalts(message_id, int(unix), salts), content=False)


def _destroy(session: Session, _message_id: int, message: Any) -> None:
    known = message.session_id != session.id and session.key.sessions.pop(message.session_id, None)
    answer = types.DestroySessionOk if known else types.DestroySessionNone
    session.reply(answer(message.session_id))


def _drop_answer(session: Session, message_id: int, _message: Any) -> None:
    session.answer(message_id, types.RpcAnswerUnknown())


def _ignore(_session: Session, _message_id: int, _message: Any) -> None:
    """Ignore a message that needs no answer."""


_HANDLERS: dict[type, Callable[[Session, int, Any], None]] = {
    functions.PingRequest: _pong,
    functions.PingDelayDisconnectRequest: _pong_with_deadline,
    functions.GetFutureSaltsRequest: _answer_salts,
    functions.DestroySessionRequest: _destroy,
    functions.RpcDropAnswerRequest: _drop_answer,
    types.MsgsAck: _acknowledge,
    types.MsgsStateReq: _answer_states,
    types.MsgResendReq: _resend,
    types.MsgsStateInfo: _ignore,
    types.MsgsAllInfo: _ignore,
    types.HttpWait: _ignore,
}
