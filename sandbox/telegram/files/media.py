"""Photos and documents: our records, shown as the TL objects that a certain account sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types
from telethon.utils import stripped_photo_to_jpg

from sandbox.telegram.files.file_access import make_access_hash, make_reference
from sandbox.telegram.files.stored_file import InlineFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sandbox.telegram.files.file_access import Viewer
    from sandbox.telegram.files.stored_file import Readable

# A grey square of forty pixels, without the header, which clients add themselves:
# nine groups of six blocks, each of which means "same as before".
STRIPPED_THUMBNAIL = b"\x01\x28\x28" + b"\x28\xa2\x8a\x00" * 9
THUMBNAIL = InlineFile(stripped_photo_to_jpg(STRIPPED_THUMBNAIL))
THUMBNAIL_EDGE = 40  # pixels
# The letters of Telegram's photo sizes, and the longest edge of each.
_SIZE_LETTERS = {"s": 100, "m": 320, "x": 800, "y": 1280}


@dataclass(frozen=True, slots=True)
class Size:
    """One of the available sizes of a photo or thumbnail."""

    letter: str
    width: int
    height: int
    file: Readable


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo; its last size is the original."""

    id: int
    date: datetime
    dc_id: int
    mime_type: str
    sizes: tuple[Size, ...]

    @property
    def file(self) -> Readable:
        return self.sizes[-1].file


@dataclass(frozen=True, slots=True)
class Document:
    """Any other file; the attributes are TL objects that describe it."""

    id: int
    date: datetime
    dc_id: int
    mime_type: str
    file: Readable
    attributes: tuple[Any, ...]
    thumbs: tuple[Size, ...] = ()

    def attribute(self, kind: type) -> Any | None:
        return next((a for a in self.attributes if isinstance(a, kind)), None)

    @property
    def is_voice(self) -> bool:
        return bool(getattr(self.attribute(types.DocumentAttributeAudio), "voice", False))

    @property
    def is_round(self) -> bool:
        return bool(getattr(self.attribute(types.DocumentAttributeVideo), "round_message", False))

    @property
    def is_video(self) -> bool:
        animated = self.attribute(types.DocumentAttributeAnimated)
        return bool(self.attribute(types.DocumentAttributeVideo)) and not animated

    @property
    def is_played(self) -> bool:
        """Whether it is something to watch or to listen to, and not only a file."""
        shown = (types.DocumentAttributeAudio, types.DocumentAttributeVideo)
        return any(isinstance(attribute, shown) for attribute in self.attributes)


def original(width: int, height: int, file: Readable) -> Size:
    """Make the original size of a picture, with the letter that Telegram uses for its dimensions."""
    longest = max(width, height)
    letter = next((name for name, edge in _SIZE_LETTERS.items() if longest <= edge), "w")
    return Size(letter, width, height, file)


def thumbnail(letter: str = "m") -> Size:
    return Size(letter, THUMBNAIL_EDGE, THUMBNAIL_EDGE, THUMBNAIL)


def is_listened_to(media: Any) -> bool:
    """Return whether the sender is notified when this was played."""
    return isinstance(media, Document) and (media.is_voice or media.is_round)


def shown(viewer: Viewer, media: Any) -> Any:
    """Show the media of a message; media other than files look the same to everybody."""
    match media:
        case Photo():
            return types.MessageMediaPhoto(photo=shown_photo(viewer, media))
        case Document():
            return types.MessageMediaDocument(
                document=shown_document(viewer, media),
                video=media.is_video or None,
                round=media.is_round or None,
                voice=media.is_voice or None,
            )
        case _:
            return media


def shown_photo(viewer: Viewer, photo: Photo) -> Any:
    return types.Photo(
        photo.id,
        make_access_hash(viewer, photo.id),
        make_reference(viewer, photo.id),
        photo.date,
        _shown_sizes(photo.sizes),
        photo.dc_id,
    )


def shown_document(viewer: Viewer, document: Document) -> Any:
    return types.Document(
        document.id,
        make_access_hash(viewer, document.id),
        make_reference(viewer, document.id),
        document.date,
        document.mime_type,
        document.file.size,
        document.dc_id,
        list(document.attributes),
        thumbs=_shown_sizes(document.thumbs) or None,
    )


def shown_profile_photo(photos: Sequence[Photo]) -> Any:
    """Show the newest profile photo in the short form that comes with a user."""
    if not photos:
        return None
    photo = photos[-1]
    return types.UserProfilePhoto(photo.id, photo.dc_id, stripped_thumb=STRIPPED_THUMBNAIL)


def _shown_sizes(sizes: Iterable[Size]) -> list[Any]:
    """List the sizes, preceded by a stripped one if there is a thumbnail."""
    listed = [types.PhotoSize(s.letter, s.width, s.height, s.file.size) for s in sizes]
    if any(size.file is THUMBNAIL for size in sizes):
        listed.insert(0, types.PhotoStrippedSize("i", STRIPPED_THUMBNAIL))
    return listed
