"""Sends the parts of a row, and continues from what earlier tries have achieved."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from session_worker.failures import Remedy, concerns_file
from session_worker.formatting.rendering import Rendered, render
from session_worker.protocol.outgoing import SENT_SEPARATELY
from session_worker.telegram.errors import TelegramError
from session_worker.telegram.sending.file_shape import shape_of
from session_worker.telegram.sending.requests import Item, cause_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from session_worker.failures import Cause
    from session_worker.protocol.messages import Send
    from session_worker.protocol.outgoing import Attachment, Outgoing, Part
    from session_worker.telegram.sending.requests import Sender
    from session_worker.telegram.sending.uploads import Uploads

    Report = Callable[[], Awaitable[None]]
    SendText = Callable[[Rendered, int], Awaitable[int]]


class FileFailed(Exception):
    """One file of a message cannot be sent; the rest may be."""

    def __init__(self, index: int, cause: Cause) -> None:
        super().__init__(f"file {index}: {cause.code} {cause.detail}")
        self.index = index
        self.cause = cause


@dataclass(slots=True)
class SendState:
    """What an employee wrote and what earlier tries have achieved.

    ``uploaded`` contains the files that Telegram has, ``ids`` the message of each random id, and
    ``sent_separately`` the random ids of texts that are sent without a file for good.
    """

    send: Send
    folder: Path
    troubles: Counter[Remedy] = field(default_factory=Counter)
    done: set[int] = field(default_factory=set)
    failed_files: dict[int, Cause] = field(default_factory=dict)
    as_documents: set[int] = field(default_factory=set)
    uploaded: dict[int, Any] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)
    sent_separately: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        attachments = enumerate(self.outgoing.attachments)
        self.as_documents |= {index for index, each in attachments if each.as_document}
        for part in self.outgoing.parts:
            for random_id, sent in zip(part.random_ids, part.sent, strict=False):
                if sent == SENT_SEPARATELY:
                    self.sent_separately.add(random_id)
                elif sent is not None:
                    self.ids[random_id] = sent

    @property
    def outgoing(self) -> Outgoing:
        return self.send.outgoing

    @property
    def is_expired(self) -> bool:
        """Whether it is too late to begin; what has begun is sent to its end."""
        expires = self.outgoing.expires
        return expires is not None and expires < time.time() and not self.ids

    def outgoing_of(self, part: Part) -> Outgoing:
        """Return what is sent, with its keyboard only if this part carries it."""
        texts = [each for each in self.outgoing.parts if each.text] or list(self.outgoing.parts)
        if self.outgoing.keyboard is None or part is texts[-1]:
            return self.outgoing
        return self.outgoing.changed(keyboard=None)

    @property
    def open_parts(self) -> list[tuple[int, Part]]:
        """The parts that have not been sent completely, with their positions."""
        return [(i, part) for i, part in enumerate(self.outgoing.parts) if not part.is_sent]

    def attachment(self, index: int) -> Attachment:
        return self.outgoing.attachments[index]

    def path_of(self, index: int) -> Path:
        """Return the path of a file."""
        return self.folder / str(index)

    def sent(self, part: Part) -> tuple[int | None, ...]:
        """Return which messages the random ids of a part have become."""
        return tuple(self.ids.get(each, self._without_message(each)) for each in part.random_ids)

    def _without_message(self, random_id: int) -> int | None:
        return SENT_SEPARATELY if random_id in self.sent_separately else None


NOTHING = Rendered("")
_SEND_SINGLY = frozenset(
    {
        Remedy.SINGLY,
        Remedy.IS_SENT,
        Remedy.WITHOUT_MARKS,
        Remedy.TEXT_SEPARATELY,
        Remedy.AS_DOCUMENT,
        Remedy.GIVE_UP_FILE,
    }
)


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that Telegram has received, in the form in which it is sent."""

    media: Any
    joins_albums: bool
    is_known: bool = False


class PartSender:
    """Sends one part into one chat; what is sent is recorded in the state and reported."""

    def __init__(
        self, sender: Sender, uploads: Uploads, state: SendState, part: Part, report: Report
    ) -> None:
        self._sender = sender
        self._uploads = uploads
        self._state = state
        self._part = part
        self._report = report
        # A part with files and text has an additional id for the text alone, the last one.
        self._text_id = part.random_ids[-1]
        self._id_of = dict(zip(part.files, part.random_ids, strict=False))

    async def post(self) -> None:
        """Send what has not been sent yet; raises TelegramError or FileFailed."""
        lost, ids = self._state.failed_files, self._state.ids
        # The file that cannot be sent may have been the one with the caption.
        is_separate = not self._part.files or self._text_id in self._state.sent_separately
        if is_separate or any(index in lost for index in self._part.files):
            await self._send_text()
        files = [i for i in self._part.files if i not in lost and self._id_of[i] not in ids]
        for index in files:
            await self._prepare(index)
        album = [index for index in files if self._state.uploaded[index].joins_albums]
        if len(album) > 1:
            await self._send_album(album)
        for index in files:
            await self._send_file(index)

    @property
    def _caption(self) -> Rendered:
        """The text, as long as it has not been sent."""
        is_sent = not self._part.text or self._text_id in self._state.ids
        if is_sent:
            return NOTHING
        marks = self._part.marks
        return render(self._part.text) if marks is None else Rendered(self._part.text, marks)

    async def _send_text(self) -> None:
        """Send the text as a message of its own."""
        text = self._caption
        if not text.text:
            return
        if self._part.files and self._text_id not in self._state.sent_separately:
            # Reported before it is done: after a crash the text must not be sent with the file
            # again.
            self._state.sent_separately.add(self._text_id)
            await self._report()
        await self._send(self._text_id, text, self._sender.text, has_media=False)

    async def _send_file(self, index: int) -> None:
        """Send one file, as a document if necessary."""
        random_id = self._id_of[index]
        while random_id not in self._state.ids:
            media = self._state.uploaded[index].media
            try:
                await self._send(
                    random_id, self._caption, partial(self._sender.media, media), has_media=True
                )
            except TelegramError as error:
                if cause_of(error).entry.remedy is Remedy.TEXT_SEPARATELY and self._caption.text:
                    await self._send_text()
                else:
                    await self._fall_back_to_document(index, error)

    async def _send(
        self, random_id: int, text: Rendered, send: SendText, *, has_media: bool
    ) -> None:
        """Send a message, without formatting if Telegram rejects it."""
        try:
            sent = await send(text, random_id)
        except TelegramError as error:
            match cause_of(error).entry.remedy:
                case Remedy.IS_SENT:
                    known = self._state.ids.values()
                    sent = await self._sender.find(text.text, known, has_media=has_media)
                case Remedy.WITHOUT_MARKS if text.marks:
                    sent = await send(Rendered(text.text), random_id)
                case _:
                    raise
        self._record(random_id, sent, text)
        await self._report()

    def _record(self, random_id: int, message_id: int, text: Rendered) -> None:
        self._state.ids[random_id] = message_id
        if text.text:
            self._state.ids[self._text_id] = message_id

    async def _send_album(self, indexes: Sequence[int]) -> None:
        """Send files as an album if Telegram accepts them; otherwise leave them for later."""
        for index in indexes:
            await self._register_media(index)
        if not all(self._state.uploaded[index].is_known for index in indexes):
            return
        caption = self._caption
        try:
            sent = await self._sender.album(list(self._items(indexes, caption)))
        except TelegramError as error:
            self._handle_refused_album(indexes, error)
            return
        for index, message_id in zip(indexes, sent, strict=True):
            self._record(
                self._id_of[index], message_id, caption if index == indexes[0] else NOTHING
            )
        await self._report()

    def _items(self, indexes: Sequence[int], caption: Rendered) -> Iterator[Item]:
        for index in indexes:
            media = self._state.uploaded[index].media
            yield Item(media, caption if index == indexes[0] else NOTHING, self._id_of[index])

    def _handle_refused_album(self, indexes: Sequence[int], error: TelegramError) -> None:
        """Return if the files may be sent one by one; otherwise raise."""
        cause = cause_of(error)
        if cause.entry.remedy is Remedy.UPLOAD_AGAIN:
            for index in indexes:
                del self._state.uploaded[index]
            raise FileFailed(indexes[0], cause) from error
        if cause.entry.remedy not in _SEND_SINGLY:
            raise error

    async def _register_media(self, index: int) -> None:
        uploaded = self._state.uploaded[index]
        if uploaded.is_known or not uploaded.joins_albums:
            return
        try:
            media = await self._sender.register_media(uploaded.media)
        except TelegramError as error:
            await self._fall_back_to_document(index, error)
        else:
            self._state.uploaded[index] = UploadedFile(media, joins_albums=True, is_known=True)

    async def _prepare(self, index: int) -> None:
        """Upload a file, unless an earlier try has done so."""
        if index in self._state.uploaded:
            return
        name = self._state.attachment(index).name or "file"
        place, as_document = self._state.path_of(index), index in self._state.as_documents
        shape = await asyncio.to_thread(shape_of, place, name, as_document=as_document)
        try:
            uploaded = await self._uploads.upload(place, name)
        except TelegramError as error:
            cause = cause_of(error)
            if not concerns_file(cause):
                raise
            raise FileFailed(index, cause) from error
        self._state.uploaded[index] = UploadedFile(shape.media(uploaded), shape.joins_albums)

    async def _fall_back_to_document(self, index: int, error: TelegramError) -> None:
        """Prepare a rejected file as a document; raises if that is no way out."""
        cause = cause_of(error)
        if not concerns_file(cause):
            raise error
        del self._state.uploaded[index]
        if cause.entry.remedy is not Remedy.AS_DOCUMENT or index in self._state.as_documents:
            raise FileFailed(index, cause) from error
        self._state.as_documents.add(index)
        await self._prepare(index)
