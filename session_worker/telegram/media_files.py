"""The files of a message: what they are, where Telegram keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telethon.tl import types

from session_worker.protocol.messages import IncomingFile
from session_worker.telegram.reading.files import Document, DocumentKind

VECTOR_STICKER = "application/x-tgsticker"  # nothing but Telegram can show it


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a file can be asked for."""

    dc_id: int
    size: int
    location: Any


def files_of(message: Any) -> tuple[IncomingFile, ...]:
    """List what has to be fetched with a message."""
    match file_object(message.media):
        case types.Photo() as photo:
            stamp = photo.date.strftime("%Y-%m-%d_%H-%M-%S")
            name = f"photo_{stamp}.jpg"
            size = _size_of(photo)
            return (IncomingFile(message_id=message.id, name=name, mime="image/jpeg", size=size),)
        case types.Document() as document:
            return _document_files(message.id, Document.of(document))
        case _:
            return ()


def file_object(media: Any) -> Any:
    """Find the photo or document in media, if there is one."""
    match media:
        case types.MessageMediaPhoto(photo=types.Photo() as photo):
            return photo
        case types.MessageMediaDocument(document=types.Document() as document):
            return document
        case types.MessageMediaPoll(attached_media=attached) if attached is not None:
            return file_object(attached)
        case _:
            return None


def place_of(file: Any) -> Place:
    """Find where the bytes of a photo or document are."""
    if isinstance(file, types.Document):
        location = types.InputDocumentFileLocation(
            file.id, file.access_hash, file.file_reference, thumb_size=""
        )
        return Place(file.dc_id, file.size, location)
    size = largest(file.sizes)
    location = types.InputPhotoFileLocation(
        file.id, file.access_hash, file.file_reference, thumb_size=size.type if size else "y"
    )
    return Place(file.dc_id, _size_of(file), location)


def largest(sizes: Any) -> Any:
    """Choose the biggest picture that has to be fetched."""
    whole = [s for s in sizes if isinstance(s, types.PhotoSize | types.PhotoSizeProgressive)]
    return max(whole, key=lambda size: size.w * size.h, default=None)


def _size_of(photo: Any) -> int:
    match largest(photo.sizes):
        case types.PhotoSize(size=size):
            return int(size)
        case types.PhotoSizeProgressive(sizes=sizes):
            return max(sizes, default=0)
        case _:
            return 0


def _document_files(message_id: int, document: Document) -> tuple[IncomingFile, ...]:
    if document.kind is DocumentKind.STICKER and document.mime == VECTOR_STICKER:
        return ()
    return (
        IncomingFile(
            message_id=message_id, name=document.name, mime=document.mime, size=document.size
        ),
    )
