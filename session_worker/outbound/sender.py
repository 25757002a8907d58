"""Sends messages to Telegram in order per chat, each until it is sent or given up."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

from session_worker.failures import (
    EXPIRED,
    LONGEST_WAIT,
    PAUSES,
    STORAGE_FAILING,
    UNKNOWN,
    Cause,
    Reason,
    is_of_storage,
    judge,
)
from session_worker.lanes import Lanes
from session_worker.outbound.attachments import FetchFailed, LinkGone, StorageFailing
from session_worker.protocol.files import outgoing_folder
from session_worker.protocol.messages import Failed, Failure, PartSent, Trying
from session_worker.protocol.outgoing import UPLOADED
from session_worker.telegram.errors import TelegramError
from session_worker.telegram.sending.part_sender import FileFailed, PartSender, SendState
from session_worker.telegram.sending.requests import Sender, cause_of
from session_worker.telegram.sending.uploads import Uploads

if TYPE_CHECKING:
    from pathlib import Path

    from session_worker.backoff import Backoff
    from session_worker.outbound.attachments import Fetcher
    from session_worker.protocol.messages import Send
    from session_worker.protocol.outgoing import Part
    from session_worker.session import Outbox
    from session_worker.telegram.reading.message_memory import SentMessages
    from session_worker.telegram.sending.flood_control import FloodControl
    from session_worker.telegram.sending.part_sender import Report
    from session_worker.telegram.sending.recipient_search import AccessHashes

ANSWERS_ONLY = "answers_only"  # the supervisor has the text for people
FILES_AT_ONCE = 4  # chats whose files are fetched or uploaded at the same time

logger = logging.getLogger(__name__)


class Telegram(Protocol):
    """What sending needs of the account."""

    async def ask(self, request: Any) -> Any: ...

    async def until_online(self) -> None: ...

    def access_hash(self, peer_id: int) -> int | None: ...


class TryLater(Exception):
    """The try failed, and another one is due."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


class TelegramSender:
    """Takes what employees wrote and sends it to Telegram."""

    def __init__(  # noqa: PLR0913, PLR0917 - one for each neighbour
        self,
        telegram: Telegram,
        flood_control: FloodControl,
        access_hashes: AccessHashes,
        fetcher: Fetcher,
        outbox: Outbox,
        sent_messages: SentMessages,
        spool: Path,
        *,
        pauses: Backoff = PAUSES,
    ) -> None:
        self._telegram = telegram
        self._flood_control = flood_control
        self._access_hashes = access_hashes
        self._fetcher = fetcher
        self._outbox = outbox
        self._sent_messages = sent_messages
        self._spool = spool
        self._received = spool / "uploads"
        self._pauses = pauses
        self._uploads = Uploads(telegram.ask, telegram.until_online)
        self._file_slots = asyncio.Semaphore(FILES_AT_ONCE)
        self._lanes: Lanes[Send] = Lanes(self._send)

    def send(self, command: Send) -> None:
        """Queue a message behind all earlier ones of the same chat."""
        self._lanes.put(command.outgoing.peer_id, command)

    async def close(self) -> None:
        """Stop at once; the supervisor still has what was not sent."""
        await self._lanes.close()
        self._flood_control.close()

    async def _send(self, command: Send) -> None:
        """Try until the message is sent or given up."""
        folder = outgoing_folder(self._spool, command.row, command.outgoing)
        state = SendState(command, folder)
        next_try: float | None = command.next_try
        while next_try is not None:
            await asyncio.sleep(min(max(0.0, next_try - time.time()), LONGEST_WAIT))
            await self._telegram.until_online()
            failure = self._hindrance(state) or await self._try(state)
            if failure is None:
                break
            await self._outbox.report(Failed(row=command.row, failure=failure))
            next_try = failure.next_try
        if command.outgoing.attachments:
            await asyncio.to_thread(shutil.rmtree, state.folder, ignore_errors=True)

    def _hindrance(self, state: SendState) -> Failure | None:
        """Return why it must not be tried now: it is too late, or only answers are allowed."""
        if state.is_expired:
            return Failure(code=EXPIRED)
        left = self._flood_control.first_contacts_blocked_for
        if state.send.is_first and left:
            # Telegram has suspected us since this was handed over, and more would make it worse.
            return Failure(code=ANSWERS_ONLY, next_try=time.time() + left)
        return None

    async def _try(self, state: SendState) -> Failure | None:
        """Send all that has not been sent; return the failure, if there is one."""
        await self._outbox.report(Trying(row=state.send.row))
        try:
            await self._send_parts(state)
        except TelegramError as error:
            return self._judge(cause_of(error), state)
        except TryLater as later:
            return later.failure
        except Exception as error:  # a bug must not block the chat for ever
            if is_of_storage(error):
                return self._judge(Cause(STORAGE_FAILING, str(error)), state)
            logger.exception("the message of row %d cannot be sent", state.send.row)
            return Failure(code=UNKNOWN, detail=type(error).__name__)
        lost = next(iter(state.failed_files.values()), None)
        return None if lost is None else Failure(code=lost.code, detail=lost.detail)

    def _judge(self, cause: Cause, state: SendState) -> Failure:
        """Decide by how often the same kind of failure has happened."""
        remedy = cause.entry.remedy
        state.troubles[remedy] += 1
        return judge(cause, state.troubles[remedy], time.time(), self._pauses)

    async def _send_parts(self, state: SendState) -> None:
        for number, part in state.open_parts:
            if number in state.done:
                continue
            await self._send_part(state, number, part)
            state.done.add(number)

    async def _send_part(self, state: SendState, number: int, part: Part) -> None:
        """Send a part without the files that turn out to be impossible to send."""
        while True:
            try:
                if not part.files:
                    await self._post(state, number, part)
                    return
                async with self._file_slots:
                    await self._fetch(state, part)
                    await self._post(state, number, part)
            except FileFailed as failed:
                failure = self._judge(failed.cause, state)
                if failure.next_try is not None:
                    raise TryLater(failure) from failed
                state.failed_files[failed.index] = failed.cause
            else:
                return

    async def _fetch(self, state: SendState, part: Part) -> None:
        for index in part.files:
            if index in state.failed_files or index in state.uploaded:
                continue
            url, path = state.attachment(index).url, state.path_of(index)
            try:
                if url.startswith(UPLOADED):
                    await asyncio.to_thread(self._copy_upload, url, path)
                else:
                    await self._fetcher.fetch(url, path)
            except FetchFailed as failure:
                raise FileFailed(index, failure.cause) from failure

    def _copy_upload(self, url: str, target: Path) -> None:
        """Copy a file that came with a call; its name is ours, but it must not lead elsewhere."""
        source = self._received / PurePath(url.removeprefix(UPLOADED)).name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        except OSError as error:
            kind = StorageFailing if is_of_storage(error) else LinkGone
            raise kind(type(error).__name__) from error

    async def _post(self, state: SendState, number: int, part: Part) -> None:
        peer_id = state.outgoing.peer_id
        known = self._telegram.access_hash(peer_id)
        access_hash = await self._access_hashes.renew(peer_id) if known is None else known
        report = partial(self._report_sent, state, number, part)
        try:
            await self._post_with(access_hash, state, part, report)
        except TelegramError as error:
            if cause_of(error).entry.reason is not Reason.CONTACT_UNKNOWN:
                raise
            # The hash may belong to an earlier login; what was sent so far is recorded in the
            # state.
            renewed = await self._access_hashes.renew(peer_id, access_hash)
            await self._post_with(renewed, state, part, report)

    async def _post_with(
        self, access_hash: int, state: SendState, part: Part, report: Report
    ) -> None:
        outgoing = state.outgoing_of(part)
        sender = Sender(self._telegram.ask, self._flood_control, outgoing, access_hash)
        await PartSender(sender, self._uploads, state, part, report).post()

    async def _report_sent(self, state: SendState, number: int, part: Part) -> None:
        """Report what has been sent so far, so that it is neither sent again nor taken for an echo."""
        sent = state.sent(part)
        await self._outbox.report(PartSent(row=state.send.row, part=number, message_ids=sent))
        await self._sent_messages.add(state.outgoing.peer_id, part, sent)
