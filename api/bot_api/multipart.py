"""Reads the forms with files in which programs of the Bot API upload."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from api.bot_api.answers import BotApiError, bad_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from quart import Request

    from supervisor.bots.uploads import Upload

    Open = Callable[[], Awaitable[Upload]]

LARGEST_FIELDS = 1 << 20  # bytes of all fields that are not files
MOST_BUFFERED = 2 << 20  # bytes that belong to no part yet
MOST_PARTS = 100
MOST_FILES = 10
SILENCE = 30.0  # seconds without a piece, after which the caller is given up
LONGEST = 600.0  # seconds for the whole body


class Received(NamedTuple):
    """A file that came with the call and is on the disk."""

    name: str
    upload: Upload


class Form:
    """The part of a form that has arrived so far."""

    def __init__(self, open_upload: Open) -> None:
        self._open = open_upload
        self._room = LARGEST_FIELDS
        self._parts = 0
        self._name = ""
        self._upload: Upload | None = None
        self.values: dict[str, Any] = {}
        self.files: dict[str, Received] = {}

    async def receive(self, event: object) -> None:
        match event:
            case File(name=name, filename=filename):
                self._begin(name or "")
                if len(self.files) >= MOST_FILES:
                    raise bad_request("too many files")
                self._upload = await self._open()
                self.files[self._name] = Received(filename or self._name, self._upload)
            case Field(name=name):
                self._begin(name or "")
                self._upload = None
                self.values[self._name] = bytearray()
            case Data(data=data) if self._upload is not None:
                await self._upload.write(data)
            case Data(data=data):
                self._room -= len(data)
                if self._room < 0:
                    raise RequestEntityTooLarge
                self.values[self._name] += data
            case _:
                pass

    def texts(self) -> dict[str, Any]:
        return {name: bytes(value).decode() for name, value in self.values.items()}

    async def discard(self) -> None:
        for file in self.files.values():
            await file.upload.discard()

    def _begin(self, name: str) -> None:
        self._name = name
        self._parts += 1
        if self._parts > MOST_PARTS or name in self.files:
            raise bad_request("too many parts")


async def read_form(request: Request, open_upload: Open) -> Form:
    """Store the files and return the fields; nothing is left of a form that cannot be read."""
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary:
        raise bad_request("there is no boundary")
    form = Form(open_upload)
    try:
        async with asyncio.timeout(LONGEST):
            await _read(request, MultipartDecoder(boundary.encode()), form)
    except BaseException as exc:  # a call that was cancelled leaves no file either
        await asyncio.shield(form.discard())
        if isinstance(exc, TimeoutError):  # by the caller's silence, or altogether
            raise BotApiError(408, "Request Timeout") from exc
        raise
    return form


async def _read(request: Request, decoder: MultipartDecoder, form: Form) -> None:
    pieces = aiter(request.body)
    while True:
        event = decoder.next_event()
        if isinstance(event, Epilogue):
            return
        if isinstance(event, NeedData):
            async with asyncio.timeout(SILENCE):
                # At the end the decoder raises an error if something is missing.
                decoder.receive_data(await anext(pieces, None))
            if len(decoder.buffer) > MOST_BUFFERED:
                raise RequestEntityTooLarge  # no part ever begins
        else:
            await form.receive(event)
