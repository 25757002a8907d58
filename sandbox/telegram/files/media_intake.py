"""Makes photos, documents of files that have arrived, as Telegram's checks allow."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.telegram.clock import now
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.media import THUMBNAIL, Document, Photo, original, thumbnail
from sandbox.telegram.files.picture_header import HEAD_SIZE, Picture, measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.telegram.files.files import Files
    from sandbox.telegram.files.media import Size
    from sandbox.telegram.files.stored_file import Readable

_PHOTO_SUFFIXES = {"", ".jpg", ".jpeg", ".png", ".gif", ".webp"}
_MAX_PHOTO_SIZE = 10 << 20
_MAX_EDGES = 10_000  # pixels, width plus height
_MAX_RATIO = 20
_DEFAULT_TYPE = "application/octet-stream"
_ONLY_PLAYED = (types.DocumentAttributeVideo, types.DocumentAttributeAnimated)


class Intake:
    """Turns files into photos, documents that clients of this data centre can name."""

    def __init__(self, files: Files, dc_id: int) -> None:
        self._files = files
        self._dc_id = dc_id

    def photo(self, file: Readable, name: str = "", *, dc_id: int | None = None) -> Photo:
        """Make a photo; raise RpcError when Telegram would not take the file for one."""
        if PurePath(name).suffix.lower() not in _PHOTO_SUFFIXES:
            raise RpcError("PHOTO_EXT_INVALID")
        if file.size > _MAX_PHOTO_SIZE:
            raise RpcError("PHOTO_SAVE_FILE_INVALID")
        picture = measure(file.read(0, HEAD_SIZE))
        if picture is None:
            raise RpcError("PHOTO_EXT_INVALID")
        _check_dimensions(picture)
        sizes = _photo_sizes(picture, file)
        place = dc_id or self._dc_id
        photo = Photo(self._files.next_id(), now(), place, picture.mime_type, sizes)
        self._files.items[photo.id] = photo
        return photo

    def document(
        self,
        file: Readable,
        mime_type: str,
        attributes: Iterable[Any] = (),
        thumb: Readable | None = None,
        *,
        force_file: bool = False,
        dc_id: int | None = None,
    ) -> Document:
        """Make a document; a forced one is only a file, whatever could be played of it."""
        told = [a for a in attributes if not (force_file and isinstance(a, _ONLY_PLAYED))]
        picture = measure(file.read(0, HEAD_SIZE))
        if picture and not any(isinstance(a, types.DocumentAttributeImageSize) for a in told):
            told.append(types.DocumentAttributeImageSize(picture.width, picture.height))
        document = Document(
            self._files.next_id(),
            now(),
            dc_id or self._dc_id,
            mime_type or _DEFAULT_TYPE,
            file,
            tuple(told),
            _thumbs(told, thumb),
        )
        self._files.items[document.id] = document
        return document


def _check_dimensions(picture: Picture) -> None:
    short, long = sorted((picture.width, picture.height))
    if not short or short + long > _MAX_EDGES or long > short * _MAX_RATIO:
        raise RpcError("PHOTO_INVALID_DIMENSIONS")


def _photo_sizes(picture: Picture, file: Readable) -> tuple[Size, ...]:
    """Add a thumbnail unless the picture itself is no bigger than one."""
    whole = original(picture.width, picture.height, file)
    if whole.letter == "s" or file.size <= THUMBNAIL.size:
        return (whole,)
    return thumbnail("s" if whole.letter == "m" else "m"), whole


def _thumbs(attributes: list[Any], given: Readable | None) -> tuple[Size, ...]:
    """Use the client's thumbnail, else make one for what can be seen."""
    if given is not None:
        picture = measure(given.read(0, HEAD_SIZE))
        return (original(picture.width, picture.height, given),) if picture else ()
    seen = (types.DocumentAttributeVideo, types.DocumentAttributeImageSize)
    return (thumbnail(),) if any(isinstance(a, seen) for a in attributes) else ()
