"""Messages as Telegram shows them, for conversion."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from telethon.tl import types

from session_worker.protocol.messages import Contact

DATE = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
TARAS = Contact(peer_id=7, first_name="Taras", last_name="Melnyk", username="taras_m")


def message(text: str = "", **fields: Any) -> Any:
    shared = {"id": 1, "peer_id": types.PeerUser(7), "date": DATE}
    return types.Message(**shared | {"message": text} | fields)


def event(action: Any, **fields: Any) -> Any:
    shared = {"id": 1, "peer_id": types.PeerUser(7), "date": DATE}
    return types.MessageService(**shared | {"action": action} | fields)


def document(mime: str, *attributes: Any, size: int = 10) -> Any:
    return types.MessageMediaDocument(
        document=types.Document(5, 6, b"", DATE, mime, size, 2, list(attributes))
    )


def photo() -> Any:
    sizes = [
        types.PhotoSize("m", 320, 240, 900),
        types.PhotoSizeProgressive("y", 1280, 960, [7, 8]),
    ]
    return types.MessageMediaPhoto(photo=types.Photo(5, 6, b"", DATE, sizes, 2))


def named(name: str) -> Any:
    return types.DocumentAttributeFilename(name)
