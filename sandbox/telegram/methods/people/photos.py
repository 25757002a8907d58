"""Profile photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.peer_lookup import find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files import media
from sandbox.telegram.files.file_access import check_reference
from sandbox.telegram.files.media import Photo
from sandbox.telegram.methods.files.input_media import find_item
from sandbox.telegram.protocol.tl_codec import LongVector
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.rpc import Call

_MOST_AT_ONCE = 100


@method(functions.photos.UploadProfilePhotoRequest)
def upload_profile_photo(call: Call, request: Any) -> Any:
    if request.file is None:
        raise RpcError("PHOTO_FILE_MISSING")
    file = call.services.files.assemble(call.account.id, request.file)
    photo = call.services.intake.photo(file, request.file.name)
    call.account.photos.append(photo)
    return _answer(call, photo)


@method(functions.photos.UpdateProfilePhotoRequest)
def update_profile_photo(call: Call, request: Any) -> Any:
    """Show an earlier photo first, or remove the first one."""
    account = call.account
    if isinstance(request.id, types.InputPhotoEmpty):
        del account.photos[-1:]
        return types.photos.Photo(types.PhotoEmpty(0), [tl_views.user(call.viewer, account)])
    photo = find_item(call, Photo, request.id)
    if photo is None:
        raise RpcError("PHOTO_ID_INVALID")
    check_reference(account, photo.id, request.id.file_reference)
    account.photos[:] = [*(p for p in account.photos if p is not photo), photo]
    return _answer(call, photo)


@method(functions.photos.DeletePhotosRequest)
def delete_photos(call: Call, request: Any) -> Any:
    named = {photo.id for i in request.id if (photo := find_item(call, Photo, i))}
    gone = [photo.id for photo in call.account.photos if photo.id in named]
    call.account.photos[:] = [p for p in call.account.photos if p.id not in named]
    return LongVector(gone)


@method(functions.photos.GetUserPhotosRequest)
def get_user_photos(call: Call, request: Any) -> Any:
    """List the photos of a user, newest first."""
    owner = find_user(call.services.accounts, call.viewer, request.user_id)
    wanted = [p for p in reversed(owner.photos) if not request.max_id or p.id < request.max_id]
    start = max(0, request.offset)
    page = wanted[start : start + min(max(0, request.limit), _MOST_AT_ONCE)]
    shown = [media.shown_photo(call.account, photo) for photo in page]
    users = [tl_views.user(call.viewer, owner)]
    if len(page) == len(wanted):
        return types.photos.Photos(shown, users)
    return types.photos.PhotosSlice(len(wanted), shown, users)


def _answer(call: Call, photo: Photo) -> Any:
    user = tl_views.user(call.viewer, call.account)
    return types.photos.Photo(media.shown_photo(call.account, photo), [user])
