"""As what a file is sent, so that Telegram shows its content best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.formatting.media_kind import MediaKind, kind_of, mime_of
from session_worker.telegram.sending import media_probe

if TYPE_CHECKING:
    from pathlib import Path

GIF = "image/gif"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file turned out to be; attributes are TL objects."""

    kind: MediaKind
    mime: str
    attributes: tuple[Any, ...] = ()

    @property
    def joins_albums(self) -> bool:
        return self.kind in {MediaKind.PHOTO, MediaKind.VIDEO}

    def media(self, uploaded: Any) -> Any:
        """Make the object that a request contains for the uploaded file."""
        if self.kind is MediaKind.PHOTO:
            return types.InputMediaUploadedPhoto(uploaded)
        # Telegram turns a GIF into an animation unless it is forced to remain a file.
        is_file = self.kind is MediaKind.DOCUMENT and self.mime != GIF
        return types.InputMediaUploadedDocument(
            uploaded, self.mime, list(self.attributes), force_file=is_file or None
        )


def shape_of(path: Path, name: str, *, as_document: bool = False) -> Shape:
    """Look into a file; one that does not match its name is sent as a document."""
    named = types.DocumentAttributeFilename(name)
    mime = mime_of(name)
    document = Shape(MediaKind.DOCUMENT, mime, (named,))
    if as_document:
        return document
    match kind_of(name):
        case MediaKind.PHOTO:
            return Shape(MediaKind.PHOTO, mime) if _is_photo(path) else document
        case MediaKind.VIDEO:
            attribute = _video_attribute(path)
            return Shape(MediaKind.VIDEO, mime, (attribute, named)) if attribute else document
        case MediaKind.VOICE:
            return _sound(path, mime, named)
        case MediaKind.AUDIO:
            attribute = types.DocumentAttributeAudio(0)
            return Shape(MediaKind.AUDIO, mime, (attribute, named))
        case MediaKind.DOCUMENT:
            return document


def _is_photo(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(media_probe.HEAD)
    return media_probe.can_be_photo(media_probe.measure_picture(head), path.stat().st_size)


def _video_attribute(path: Path) -> Any:
    with path.open("rb") as file:
        found = media_probe.measure_video(file)
    if found is None:
        return None
    return types.DocumentAttributeVideo(
        found.seconds, found.width, found.height, supports_streaming=True
    )


def _sound(path: Path, mime: str, named: Any) -> Shape:
    with path.open("rb") as file:
        seconds = media_probe.measure_voice(file)
    if seconds is None:
        return Shape(MediaKind.AUDIO, mime, (types.DocumentAttributeAudio(0), named))
    attribute = types.DocumentAttributeAudio(round(seconds), voice=True)
    return Shape(MediaKind.VOICE, mime, (attribute,))
