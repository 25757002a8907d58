"""The proof that an account may fetch a file: its own access hash with a reference that expires."""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING

from sandbox.telegram.errors import RpcError

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account

_HEAD = struct.Struct(">BI")


def make_access_hash(viewer: Account, file_id: int) -> int:
    """Make the hash by which one account names a file; others have others."""
    digest = sha256(b"file:%d:%d" % (viewer.id, file_id)).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def make_reference(viewer: Account, file_id: int) -> bytes:
    """Make the reference that an account gets with a file now."""
    return _reference(viewer.id, file_id, viewer.reference_epoch)


def check_reference(viewer: Account, file_id: int, reference: bytes) -> None:
    """Raise RpcError unless this reference was handed out to this account lately."""
    if not reference:
        raise RpcError("FILE_REFERENCE_EMPTY")
    if len(reference) < _HEAD.size:
        raise RpcError("FILE_REFERENCE_INVALID")
    _, epoch = _HEAD.unpack_from(reference)
    if reference != _reference(viewer.id, file_id, epoch) or epoch > viewer.reference_epoch:
        raise RpcError("FILE_REFERENCE_INVALID")
    if epoch < viewer.reference_epoch:
        raise RpcError("FILE_REFERENCE_EXPIRED")


def _reference(viewer_id: int, file_id: int, epoch: int) -> bytes:
    digest = sha256(b"reference:%d:%d:%d" % (viewer_id, file_id, epoch)).digest()
    return _HEAD.pack(0, epoch) + digest[:16]
