"""The session of a bot: it carries messages like that of a number, and serves the buttons of the bot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_worker.lanes import Lanes
from session_worker.number import NumberSession
from session_worker.protocol.bots import (
    AnswerPress,
    DeleteMessages,
    EditMessage,
    Heard,
    PresentBot,
)
from session_worker.telegram.bot import (
    BotRequests,
    BotUpdateParser,
    event_of,
    group_command,
    heard_message,
)
from session_worker.telegram.sending.recipient_search import AccessHashesOfBot

if TYPE_CHECKING:
    from session_worker.protocol.bots import BotRequest
    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox, WritePermit
    from session_worker.telegram.connection.account import TelegramAccount
    from session_worker.telegram.connection.updates import PositionedUpdate


class BotSession(NumberSession):
    """Reports what people write and press; without a Planfix account, nothing of it goes to Planfix."""

    parser_class = BotUpdateParser
    access_hashes_class = AccessHashesOfBot

    def __init__(
        self, assignment: Assignment, outbox: Outbox, lease: WritePermit, **options: Any
    ) -> None:
        super().__init__(assignment, outbox, lease, **options)
        assert isinstance(self._parser, BotUpdateParser)
        self._bot_parser = self._parser
        self._bot_parser.keep_phone = self._account.keep_phone
        self._bot_parser.is_for_planfix = bool(assignment.planfix.url)
        self._requests = BotRequests(self._account.ask, self._account.access_hash)
        self._carrying_out: Lanes[BotRequest] = Lanes(self._carry_out)

    async def handle(self, command: Command) -> None:
        match command:
            case EditMessage(peer_id=chat) | DeleteMessages(peer_id=chat):
                self._carrying_out.put(chat, command)
            case AnswerPress(request_id=request_id) | PresentBot(request_id=request_id):
                # Each has a lane of its own, so that a late answer delays no other.
                self._carrying_out.put(("request", request_id), command)
            case _:
                await super().handle(command)

    async def _process_update(self, account: TelegramAccount, incoming: PositionedUpdate) -> None:
        update, position = incoming.update, incoming.position
        what = event_of(update) or await self._command_in_group(update)
        if what is None:
            await super()._process_update(account, incoming)
        else:
            await self._outbox.report(Heard(positions=(position,), what=what))

    async def _command_in_group(self, update: Any) -> Any:
        message = group_command(update)
        if message is None:
            return None
        contact = await self._receiver.until_answered(
            lambda: self._bot_parser.find_author(message, update)
        )
        return heard_message(message, contact)

    async def _carry_out(self, command: BotRequest) -> None:
        await self._outbox.report(await self._requests.carry_out(command))

    async def _close(self) -> None:
        await self._carrying_out.close()
        await super()._close()
