"""Photos, documents: our records of them, shown as the TL objects that a certain account sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types
from telethon.utils import stripped_photo_to_jpg

from sandbox.telegram.files.file_access import make_access_hash, make_reference
from sandbox.telegram.files.stored_file import InlineFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.files.stored_file import Readable

# Forty grey pixels square, in the form without a header that clients complete themselves:
# nine groups of six blocks, each "same as before" with nothing else.
STRIPPED_THUMBNAIL = b"\x01\x28\x28" + b"\x28\xa2\x8a\x00" * 9
THUMBNAIL = InlineFile(stripped_photo_to_jpg(STRIPPED_THUMBNAIL))
THUMBNAIL_EDGE = 40  # pixels
# The letters of Telegram's photo sizes with the longest edge of each.
_SIZE_LETTERS = {"s": 100, "m": 320, "x": 800, "y": 1280}


@dataclass(frozen=True, slots=True)
class Size:
    """One of the sizes in which a photo or thumbnail can be had."""

    letter: str
    width: int
    height: int
    file: Readable


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture; its last size is the original."""

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
    """Any other file; attributes are TL objects that say what it is."""

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


def original(width: int, height: int, file: Readable) -> Size:
    """Name the size of a picture by the letter that Telegram gives one so big."""
    longest = max(width, height)
    letter = next((name for name, edge in _SIZE_LETTERS.items() if longest <= edge), "w")
    return Size(letter, width, height, file)


def thumbnail(letter: str = "m") -> Size:
    return Size(letter, THUMBNAIL_EDGE, THUMBNAIL_EDGE, THUMBNAIL)


def is_listened_to(media: Any) -> bool:
    """Tell whether the sender learns when this was played."""
    return isinstance(media, Document) and (media.is_voice or media.is_round)


def shown(viewer: Account, media: Any) -> Any:
    """Show the media of a message; what is no file looks the same to everybody."""
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


def shown_photo(viewer: Account, photo: Photo) -> Any:
    return types.Photo(
        photo.id,
        make_access_hash(viewer, photo.id),
        make_reference(viewer, photo.id),
        photo.date,
        _shown_sizes(photo.sizes),
        photo.dc_id,
    )


def shown_document(viewer: Account, document: Document) -> Any:
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


def shown_profile_photo(subject: Account) -> Any:
    """Show the newest profile photo in the short form that comes with a user."""
    if not subject.photos:
        return None
    photo = subject.photos[-1]
    return types.UserProfilePhoto(photo.id, photo.dc_id, stripped_thumb=STRIPPED_THUMBNAIL)


def _shown_sizes(sizes: Iterable[Size]) -> list[Any]:
    """List the sizes, a stripped one before where a thumbnail is among them."""
    listed = [types.PhotoSize(s.letter, s.width, s.height, s.file.size) for s in sizes]
    if any(size.file is THUMBNAIL for size in sizes):
        listed.insert(0, types.PhotoStrippedSize("i", STRIPPED_THUMBNAIL))
    return listed
