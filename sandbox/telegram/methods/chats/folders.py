"""The folders into which an account sorts its chats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.peer_lookup import find_channel, find_correspondent
from sandbox.telegram.errors import RpcError
from sandbox.telegram.records.chats import CHANNEL_OFFSET
from sandbox.telegram.records.folders import Folder
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.accounts.viewer import Viewer
    from sandbox.telegram.rpc import Call
    from sandbox.telegram.services import Services

_IDS = range(2, 256)  # 0 is the list of all chats, 1 the archive
_KINDS = ("contacts", "non_contacts", "groups", "broadcasts", "bots")
_HIDING = ("exclude_muted", "exclude_read", "exclude_archived")


@method(functions.messages.GetDialogFiltersRequest)
def get_folders(call: Call, _request: Any) -> Any:
    shown = [_shown(call.viewer, each) for each in call.account.folders.values()]
    return types.messages.DialogFilters([types.DialogFilterDefault(), *shown])


@method(functions.messages.UpdateDialogFilterRequest)
def update_folder(call: Call, request: Any) -> bool:
    if request.id not in _IDS:
        raise RpcError("FILTER_ID_INVALID")
    folder = None if request.filter is None else _checked(call, request.id, request.filter)
    keep(call.services, call.account, request.id, folder, origin=call.session)
    return True


@method(functions.messages.UpdateDialogFiltersOrderRequest)
def order_folders(call: Call, request: Any) -> bool:
    folders = call.account.folders
    order = [each for each in request.order if each in folders]
    order += [each for each in folders if each not in order]
    call.account.folders = {each: folders[each] for each in order}
    update = types.UpdateDialogFilterOrder(list(request.order))
    call.services.update_push.push(call.account, update, origin=call.session)
    return True


def keep(
    services: Services,
    owner: Account,
    folder_id: int,
    folder: Folder | None,
    *,
    origin: Any = None,
) -> None:
    """Store or remove a folder, and tell the owner's other sessions that it changed."""
    if folder is None:
        owner.folders.pop(folder_id, None)
    else:
        owner.folders[folder_id] = folder
    # The folder itself would name its chats by the access hashes of one login.
    services.update_push.push(owner, types.UpdateDialogFilters(), origin=origin)


def next_id(owner: Account) -> int:
    return next(each for each in _IDS if each not in owner.folders)


def _checked(call: Call, folder_id: int, wanted: Any) -> Folder:
    if not isinstance(wanted, types.DialogFilter):
        raise RpcError("FILTER_NOT_SUPPORTED")
    folder = Folder(
        id=folder_id,
        title=wanted.title.text,
        pinned=_ids(call, wanted.pinned_peers),
        included=_ids(call, wanted.include_peers),
        excluded=_ids(call, wanted.exclude_peers),
        kinds=frozenset(kind for kind in _KINDS if getattr(wanted, kind)),
        hiding=frozenset(kind for kind in _HIDING if getattr(wanted, kind)),
        emoticon=wanted.emoticon,
    )
    if not folder.title:
        raise RpcError("FILTER_TITLE_EMPTY")
    if not (folder.pinned or folder.included or folder.kinds):
        raise RpcError("FILTER_INCLUDE_EMPTY")
    return folder


def _ids(call: Call, peers: list[Any]) -> tuple[int, ...]:
    accounts, viewer = call.services.accounts, call.viewer
    return tuple(
        (find_channel if isinstance(peer, types.InputPeerChannel) else find_correspondent)(
            accounts, viewer, peer
        ).id
        for peer in peers
    )


def _shown(viewer: Viewer, folder: Folder) -> Any:
    flags = dict.fromkeys((*folder.kinds, *folder.hiding), True)
    return types.DialogFilter(
        id=folder.id,
        title=types.TextWithEntities(folder.title, []),
        pinned_peers=[_input_peer(viewer, each) for each in folder.pinned],
        include_peers=[_input_peer(viewer, each) for each in folder.included],
        exclude_peers=[_input_peer(viewer, each) for each in folder.excluded],
        emoticon=folder.emoticon,
        **flags,
    )


def _input_peer(viewer: Viewer, marked: int) -> Any:
    if marked == viewer.id:
        return types.InputPeerSelf()
    if marked > 0:
        return types.InputPeerUser(marked, viewer.access_hash(marked))
    if marked < -CHANNEL_OFFSET:
        return types.InputPeerChannel(-CHANNEL_OFFSET - marked, viewer.access_hash(marked))
    return types.InputPeerChat(-marked)
