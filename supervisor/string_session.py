"""Telethon's StringSession: a login in one line of text."""

from __future__ import annotations

import binascii
import ipaddress
import re
import struct
from base64 import b64decode, urlsafe_b64encode

from supervisor.errors import SessionStringBroken
from supervisor.store.values import Session

_VERSION = "1"
_LAYOUTS = {struct.calcsize(layout): layout for layout in (">B4sH256s", ">B16sH256s")}
_LETTERS = re.compile(r"[\w-]+=*", re.ASCII)


def read_string_session(text: str) -> Session:
    packed = _unpack(text.strip())
    dc_id, address, port, auth_key = struct.unpack(_LAYOUTS[len(packed)], packed)
    if not (dc_id and port and any(auth_key)):
        raise SessionStringBroken("it holds no login")
    return Session(dc_id, str(ipaddress.ip_address(address)), port, auth_key)


def write_string_session(session: Session) -> str:
    address = ipaddress.ip_address(session.server_address).packed
    layout = f">B{len(address)}sH256s"
    packed = struct.pack(layout, session.dc_id, address, session.port, session.auth_key)
    return _VERSION + urlsafe_b64encode(packed).decode()


def _unpack(text: str) -> bytes:
    if text[:1] != _VERSION or not _LETTERS.fullmatch(text):
        raise SessionStringBroken
    try:
        packed = b64decode(text[1:], b"-_", validate=True)
    except binascii.Error as exc:
        raise SessionStringBroken from exc
    if len(packed) not in _LAYOUTS:
        raise SessionStringBroken(f"{len(packed)} bytes")
    return packed
