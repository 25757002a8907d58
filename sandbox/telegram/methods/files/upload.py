"""Uploading and downloading files part by part."""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.peer_lookup import find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import Kind
from sandbox.telegram.files.file_access import check_reference
from sandbox.telegram.files.media import Document, Photo
from sandbox.telegram.methods.files.input_media import find_item
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.files.media import Size
    from sandbox.telegram.files.stored_file import Readable
    from sandbox.telegram.rpc import Call

_WINDOW = 1 << 20  # a piece may not cross its borders
_UNIT = 4 << 10
_PRECISE_UNIT = 1 << 10
_CDN = 203


@method(functions.upload.SaveFilePartRequest)
def save_file_part(call: Call, request: Any) -> bool:
    call.services.files.save_part(
        call.account.id, request.file_id, request.file_part, request.bytes
    )
    return True


@method(functions.upload.SaveBigFilePartRequest)
def save_big_file_part(call: Call, request: Any) -> bool:
    call.services.files.save_part(
        call.account.id,
        request.file_id,
        request.file_part,
        request.bytes,
        request.file_total_parts,
    )
    return True


@method(functions.upload.GetFileRequest)
def get_file(call: Call, request: Any) -> Any:
    _check_piece(request.offset, request.limit, precise=bool(request.precise))
    file = _locate(call, request.location)
    services = call.services
    if services.faults.holds(Kind.CDN, call.account.phone, services.time()):
        return _redirect()
    content = file.read(request.offset, request.limit)
    return types.upload.File(types.storage.FilePartial(), 0, content)


def _check_piece(offset: int, limit: int, *, precise: bool) -> None:
    unit = _PRECISE_UNIT if precise else _UNIT
    if offset < 0 or offset % unit:
        raise RpcError("OFFSET_INVALID")
    if not 0 < limit <= _WINDOW or limit % unit or (not precise and _WINDOW % limit):
        raise RpcError("LIMIT_INVALID")
    if offset // _WINDOW != (offset + limit - 1) // _WINDOW:
        raise RpcError("LIMIT_INVALID")


def _locate(call: Call, location: Any) -> Readable:
    match location:
        case types.InputPhotoFileLocation():
            photo = _item(call, Photo, location)
            return _of_size(photo.sizes, location.thumb_size)
        case types.InputDocumentFileLocation():
            document = _item(call, Document, location)
            thumb = location.thumb_size
            return _of_size(document.thumbs, thumb) if thumb else document.file
        case types.InputPeerPhotoFileLocation():
            return _profile_photo(call, location)
        case _:
            raise RpcError("LOCATION_INVALID")


def _item(call: Call, kind: type[Any], location: Any) -> Any:
    item = find_item(call, kind, location)
    if item is None:
        raise RpcError("FILE_ID_INVALID")
    _check_place(call, item)
    check_reference(call.account, item.id, location.file_reference)
    return item


def _check_place(call: Call, item: Photo | Document) -> None:
    """Refer a client to the data centre that stores the file, if it is another one."""
    if item.dc_id != call.address.dc_id:
        raise RpcError(f"FILE_MIGRATE_{item.dc_id}")


def _redirect() -> Any:
    """Redirect to a content delivery network, which does not exist here."""
    return types.upload.FileCdnRedirect(_CDN, token_bytes(16), token_bytes(32), token_bytes(16), [])


def _of_size(sizes: tuple[Size, ...], letter: str) -> Readable:
    found = next((size.file for size in sizes if size.letter == letter), None)
    if found is None:
        raise RpcError("LOCATION_INVALID")
    return found


def _profile_photo(call: Call, location: Any) -> Readable:
    """Find a profile photo; a client that may address its owner needs no reference."""
    owner = find_user(call.services.accounts, call.viewer, location.peer)
    photo = next((p for p in owner.photos if p.id == location.photo_id), None)
    if photo is None:
        raise RpcError("LOCATION_INVALID")
    _check_place(call, photo)
    return photo.sizes[-1 if location.big else 0].file
