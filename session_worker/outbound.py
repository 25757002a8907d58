"""The way to Telegram: messages in order per chat, each tried until its last word."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from session_worker.attachments import FetchFailed
from session_worker.failure_words.reason import Reason
from session_worker.failures import LONGEST_WAIT, PAUSES, UNKNOWN, Cause, judge
from session_worker.lanes import Lanes
from session_worker.letter import FileFailed, Letter
from session_worker.message import Failed, Failure, PartSent, Trying
from session_worker.telegram.errors import TelegramError
from session_worker.telegram.posting import Posting
from session_worker.telegram.sending import Sender, cause_of
from session_worker.telegram.uploads import Uploads

if TYPE_CHECKING:
    from pathlib import Path

    from session_worker.attachments import Fetcher
    from session_worker.backoff import Backoff
    from session_worker.message import Part, Send
    from session_worker.session import Outbox
    from session_worker.telegram.addresses import Addresses
    from session_worker.telegram.posting import Report
    from session_worker.telegram.throttle import Throttle
    from session_worker.traces import Traces

FILES_AT_ONCE = 4  # chats whose files are fetched or uploaded at a time

log = logging.getLogger(__name__)


class Telegram(Protocol):
    """What sending needs of the account."""

    async def ask(self, request: Any) -> Any: ...

    async def until_online(self) -> None: ...


class TryLater(Exception):
    """The try has come to nothing, another one is due."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


class Outbound:
    """Takes what employees wrote, brings it to Telegram."""

    def __init__(  # noqa: PLR0913, PLR0917 - one for each neighbour
        self,
        telegram: Telegram,
        throttle: Throttle,
        addresses: Addresses,
        fetcher: Fetcher,
        outbox: Outbox,
        traces: Traces,
        spool: Path,
        *,
        pauses: Backoff = PAUSES,
    ) -> None:
        self._telegram = telegram
        self._throttle = throttle
        self._addresses = addresses
        self._fetcher = fetcher
        self._outbox = outbox
        self._traces = traces
        self._folder = spool / "out"
        self._pauses = pauses
        self._uploads = Uploads(telegram.ask, telegram.until_online)
        self._file_room = asyncio.Semaphore(FILES_AT_ONCE)
        self._lanes: Lanes[Send] = Lanes(self._carry)

    def send(self, order: Send) -> None:
        """Take a message, behind all that were taken for the same chat."""
        self._lanes.put(order.outgoing.peer_id, order)

    async def close(self) -> None:
        """Stop where we are; what was not sent is still with the supervisor."""
        await self._lanes.close()
        self._throttle.close()

    async def _carry(self, order: Send) -> None:
        """Try until the message is sent, or given up."""
        letter = Letter(order, self._folder / str(order.row))
        next_try: float | None = order.next_try
        while next_try is not None:
            await asyncio.sleep(min(max(0.0, next_try - time.time()), LONGEST_WAIT))
            await self._telegram.until_online()
            failure = await self._try(letter)
            if failure is None:
                break
            await self._outbox.report(Failed(row=order.row, failure=failure))
            next_try = failure.next_try
        await asyncio.to_thread(shutil.rmtree, letter.folder, ignore_errors=True)

    async def _try(self, letter: Letter) -> Failure | None:
        """Send all that is not sent; tell why not, if so."""
        await self._outbox.report(Trying(row=letter.send.row))
        try:
            await self._send_parts(letter)
        except TelegramError as error:
            return self._judge(cause_of(error), letter)
        except TryLater as later:
            return later.failure
        except Exception as error:  # a bug must not hold up the chat for ever
            log.exception("row %d can not be sent", letter.send.row)
            return Failure(code=UNKNOWN, detail=type(error).__name__)
        for lost in letter.lost.values():
            return Failure(code=lost.code, detail=lost.detail)
        return None

    def _judge(self, cause: Cause, letter: Letter) -> Failure:
        """Decide by how often the same kind of trouble has come up."""
        remedy = cause.entry.remedy
        letter.troubles[remedy] += 1
        return judge(cause, letter.troubles[remedy], time.time(), self._pauses)

    async def _send_parts(self, letter: Letter) -> None:
        for number, part in letter.open_parts:
            if number in letter.done:
                continue
            await self._send_part(letter, number, part)
            letter.done.add(number)

    async def _send_part(self, letter: Letter, number: int, part: Part) -> None:
        """Send a part, without the files that turn out to be hopeless."""
        while True:
            try:
                if not part.files:
                    await self._post(letter, number, part)
                    return
                async with self._file_room:
                    await self._fetch(letter, part)
                    await self._post(letter, number, part)
            except FileFailed as failed:
                failure = self._judge(failed.cause, letter)
                if failure.next_try is not None:
                    raise TryLater(failure) from failed
                letter.lost[failed.index] = failed.cause
            else:
                return

    async def _fetch(self, letter: Letter, part: Part) -> None:
        for index in part.files:
            if index in letter.lost or index in letter.parcels:
                continue
            try:
                await self._fetcher.fetch(letter.attachment(index).url, letter.place(index))
            except FetchFailed as failure:
                raise FileFailed(index, failure.cause) from failure

    async def _post(self, letter: Letter, number: int, part: Part) -> None:
        peer_id = letter.outgoing.peer_id
        access_hash = await self._addresses.of(peer_id)
        report = partial(self._report_sent, letter, number, part)
        try:
            await self._post_under(access_hash, letter, part, report)
        except TelegramError as error:
            if cause_of(error).entry.reason is not Reason.CONTACT_UNKNOWN:
                raise
            # The hash may be one of an earlier login; what was sent by now is noted in the letter.
            renewed = await self._addresses.renewed(peer_id, access_hash)
            await self._post_under(renewed, letter, part, report)

    async def _post_under(
        self, access_hash: int, letter: Letter, part: Part, report: Report
    ) -> None:
        peer_id = letter.outgoing.peer_id
        sender = Sender(self._telegram.ask, self._throttle, peer_id, access_hash)
        await Posting(sender, self._uploads, letter, part, report).post()

    async def _report_sent(self, letter: Letter, number: int, part: Part) -> None:
        """Tell what is in Telegram by now, so that it is never sent again, never taken for an echo."""
        sent = letter.sent(part)
        await self._outbox.report(PartSent(row=letter.send.row, part=number, message_ids=sent))
        await self._traces.note(letter.outgoing.peer_id, part, sent)
