"""One number between the Telegram and the Planfix of the sandbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sandbox.planfix.fault import Fault, Mode
from sandbox.planfix.settings import Settings
from sandbox.telegram.chats.message_actions import Draft
from session_worker.backoff import Backoff
from session_worker.inbound.albums import AlbumTiming
from session_worker.inbound.history_delivery import HistoryPace
from session_worker.number import NumberSession
from session_worker.planfix.circuit_breaker import GRACE, CircuitBreaker
from session_worker.planfix.client import PlanfixTimeouts
from session_worker.protocol.chats import ChatSelection
from session_worker.protocol.contract import Assignment, PlanfixAccount, SessionState
from tests.acceptance.session_worker.inbound.event_recorder import EventRecorder
from tests.acceptance.session_worker.number import QUICK, Right, assignment, imported
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sandbox.planfix.account import Account
    from sandbox.planfix.traffic_log import Message
    from sandbox.sandbox import Sandbox
    from sandbox.telegram.accounts.accounts import Account as Person
    from sandbox.telegram.chats.message_actions import Posted

PHONE = "380501112233"
CONTACT = "380671112233"
OTHER = "380931112233"
QUICK_BACKOFF = Backoff(first=0.05, longest=0.2)


class InboundNumber:
    """Lets people write, shows what Planfix got."""

    def __init__(self, sandbox: Sandbox, spool: Path, file_server: str) -> None:
        self.sandbox = sandbox
        self.spool = spool
        self.centre = sandbox.data_centre
        self.account: Account = sandbox.planfix.put_account(
            "acme", Settings(planfix_token="key", provider_id="telegram")
        )
        self.planfix_url = f"{self.account.url}/webchat/api"
        self.me = self.centre.add_account(PHONE, "Olena")
        self.contact = self.centre.add_account(CONTACT, "Taras", "Melnyk", username="taras_m")
        self.other = self.centre.add_account(OTHER, "Ivan")
        self.recorder = EventRecorder(imported(self.centre.session_string_for(PHONE)), file_server)
        self.language = "en"
        self.may_be_private = True
        self.chats = ChatSelection()
        self.pace = HistoryPace(pause=0, page_pause=0)
        self.history_since: date | None = None
        self.timing = QUICK
        self.albums = AlbumTiming(quiet=0.5)
        self.timeouts = PlanfixTimeouts(connect=60, answer=60, answer_with_files=60)
        self.grace = GRACE
        self._tasks: list[asyncio.Task[None]] = []

    def assignment(self) -> Assignment:
        made = assignment(self.centre, PHONE, self.recorder.session)
        planfix = PlanfixAccount(
            url=self.planfix_url,
            token="key",
            provider_id="telegram",
            user_email="boss@acme.ua",
            may_be_private=self.may_be_private,
        )
        changed = {"planfix": planfix, "spool": str(self.spool), "language": self.language}
        chosen = {"chats": self.chats, "history_since": self.history_since}
        return made.model_copy(update=changed | chosen)

    async def start(self) -> None:
        circuit_breaker = CircuitBreaker(QUICK_BACKOFF, grace=self.grace)
        number = NumberSession(
            self.assignment(),
            self.recorder,
            Right(),
            timing=self.timing,
            albums=self.albums,
            circuit_breaker=circuit_breaker,
            timeouts=self.timeouts,
            pace=self.pace,
        )
        self.recorder.number = number
        self.recorder.events.clear()
        self._tasks = [asyncio.create_task(number.run()), asyncio.create_task(self.recorder.run())]
        await eventually(self._is_online, awaited="online")

    def _is_online(self) -> bool:
        for task in self._tasks:
            if task.done():
                task.result()
        return self.recorder.state is SessionState.ONLINE

    async def stop(self) -> None:
        """End the number in good order."""
        if self._tasks and self.recorder.number is not None:
            await self.recorder.number.stop()
            await self._tasks[0]
        await self.kill()

    async def kill(self) -> None:
        """End the number as a crash would."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self.recorder.commands = asyncio.Queue()

    async def start_again(self) -> None:
        """Go on with what was stored; what is pending is handed over again."""
        self.recorder.hand_over_pending()
        await self.start()

    def write(self, text: str = "", sender: Person | None = None, **draft: Any) -> Posted:
        """Let the contact write, or somebody else; the number's owner writes to the contact."""
        sender = sender or self.contact
        recipient = self.contact if sender is self.me else self.me
        return self.centre.message_actions.send(sender, recipient, Draft(text, **draft))

    def fault(self, mode: Mode, **fields: Any) -> None:
        self.account.add_fault(Fault(mode=mode, **fields))

    @property
    def told(self) -> list[Message]:
        """What Planfix has accepted."""
        return self.account.journal.messages

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.told]

    def calls(self, cmd: str) -> list[dict[str, str]]:
        """Show the calls of a kind, each field once."""
        calls = [call.fields for call in self.account.journal.calls]
        shown = [{name: values[-1] for name, values in fields.items()} for fields in calls]
        return [fields for fields in shown if fields["cmd"] == cmd]

    async def until_texts(self, *texts: str, deadline: float = PATIENCE) -> None:
        def have_come() -> bool:
            return len(self.texts) >= len(texts)

        await eventually(have_come, deadline, awaited=f"{texts}, have {self.texts}")
        assert self.texts == list(texts), self.texts

    async def until_settled(self) -> None:
        """Wait until all that Telegram has told is stored."""
        pts = self.me.log.pts

        def is_settled() -> bool:
            return self.recorder.place is not None and self.recorder.place.pts == pts

        await eventually(is_settled, awaited="everything stored")
