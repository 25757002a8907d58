"""Reactions to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.errors import RpcError
from sandbox.telegram.methods.messages.messages import peer, updates_with
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.rpc import Call

MOST = 3  # reactions of one person to one message
_KINDS = (types.ReactionEmoji, types.ReactionCustomEmoji)


@method(functions.messages.SendReactionRequest)
def send_reaction(call: Call, request: Any) -> Any:
    """Put reactions in place of the account's earlier ones; none removes them."""
    chat = peer(call, request.peer)
    wanted = [each for each in request.reaction or () if not isinstance(each, types.ReactionEmpty)]
    if len(wanted) > MOST or not all(isinstance(each, _KINDS) for each in wanted):
        raise RpcError("REACTION_INVALID")
    message = call.account.box.get(request.msg_id)
    if message is None or message.peer != chat.id:
        raise RpcError("MESSAGE_ID_INVALID")
    posted = call.services.message_actions.react(
        call.account, request.msg_id, tuple(wanted), origin=call.session
    )
    return updates_with(call, posted)
