"""One TCP connection of a client."""

from __future__ import annotations

import asyncio
import logging
import struct
import time
from dataclasses import dataclass
from socket import IPPROTO_TCP, TCP_INFO
from typing import TYPE_CHECKING, Any, cast

from telethon.tl import types

from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import Kind
from sandbox.telegram.protocol import encryption, service_messages
from sandbox.telegram.protocol.framing import Deframer, FramingError
from sandbox.telegram.protocol.key_exchange import ExchangeFailed, KeyExchange
from sandbox.telegram.protocol.tl_codec import (
    Allowance,
    Incoming,
    MalformedBody,
    UnknownConstructor,
    read_object,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.addresses import Address
    from sandbox.telegram.faults import Faults
    from sandbox.telegram.protocol.client_keys import ClientKey, Keyring
    from sandbox.telegram.protocol.client_session import Session
    from sandbox.telegram.protocol.encryption import PacketContent
    from sandbox.telegram.protocol.server_key import ServerKey

logger = logging.getLogger(__name__)
_UNKNOWN_KEY = struct.pack("<i", -404)
_MAX_UNSENT = 16 << 20  # bytes; a client that reads so slowly is disconnected
_WRONG_SALT = 48
_INVALID_CONTAINER = 64
_ESTABLISHED = 1  # the first byte of Linux's tcp_info


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a connection needs of the data centre behind the address that accepted it."""

    address: Address
    keys: Keyring
    server_key: ServerKey
    faults: Faults
    # All open connections; each adds itself and takes itself out.
    connections: set[Connection]
    # Runs one request that a session received in the message with this id.
    execute: Callable[[Session, int, Any], None]


class Connection(asyncio.Protocol):
    """Receives the bytes of one client and sends the packets of its sessions."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.address = endpoint.address
        self._deframer = Deframer()
        self._exchange = KeyExchange(endpoint.server_key, endpoint.keys.register)
        self._transport: asyncio.Transport | None = None
        self._key: ClientKey | None = None
        self.has_claim = False
        self._unflushed: dict[int, Session] = {}
        self._deadline: asyncio.TimerHandle | None = None
        self._hung_up = False
        self.closed = asyncio.Event()

    @property
    def client_port(self) -> int | None:
        """Return the port of the client, if it is still connected."""
        name = self._transport and self._transport.get_extra_info("peername")
        return int(name[1]) if name else None

    @property
    def key(self) -> ClientKey | None:
        """The key of the newest good packet."""
        return self._key

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._endpoint.connections.add(self)
        if self._suffers(Kind.CUT):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave(lost=exc is not None or not self._hung_up)
        self._endpoint.connections.discard(self)
        if self._deadline:
            self._deadline.cancel()
        self.closed.set()

    def eof_received(self) -> None:
        self._hung_up = True

    def pause_writing(self) -> None:
        # A client that does not read answers may not send more requests.
        if self._transport:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        try:
            for packet in self._deframer.feed(data):
                self._receive(packet)
        except (FramingError, ExchangeFailed, encryption.PacketBroken, MalformedBody) as exc:
            logger.info("closing a connection: %s", exc)
            self.abort()

    def is_open(self) -> bool:
        """Return whether the client's end is still open, even before its closing has been read."""
        if self._transport is None or self._transport.is_closing():
            return False
        with self._transport.get_extra_info("socket").dup() as socket:
            state: int = socket.getsockopt(IPPROTO_TCP, TCP_INFO, 1)[0]
        return state == _ESTABLISHED

    def abort(self) -> None:
        """Cut the connection at once."""
        self._leave(lost=True)
        if self._transport:
            self._transport.abort()

    def disconnect_in(self, seconds: float) -> None:
        """Disconnect after this time, unless the deadline is extended."""
        if self._deadline:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(max(0, seconds), self.abort)

    def flush_soon(self, session: Session) -> None:
        """Send the session's messages at the end of this turn of the event loop."""
        if not self._unflushed:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unflushed[session.id] = session

    def _flush(self) -> None:
        sessions, self._unflushed = list(self._unflushed.values()), {}
        if self._suffers(Kind.BLACKHOLE):
            return
        for session in sessions:
            if session.connection is self:
                for inner in session.drain(session.key.salt(time.time())):
                    self._write(encryption.seal(session.key.auth, inner))

    def _write(self, packet: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(self._deframer.frame(packet))
        if transport.get_write_buffer_size() > _MAX_UNSENT:
            logger.info("closing a connection whose client does not read")
            self.abort()

    def _receive(self, packet: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        key_id = encryption.key_id_of(packet)
        if key_id:
            self._receive_sealed(key_id, packet)
        elif not self._suffers(Kind.BLACKHOLE):
            self._write(self._exchange.answer(packet))

    def _receive_sealed(self, key_id: int, packet: bytes) -> None:
        key = self._endpoint.keys.get(key_id)
        if key is None:
            self._write(_UNKNOWN_KEY)
            if self._transport:
                self._transport.close()
            return
        inner = encryption.unseal(key.auth, packet)
        self._use(key)
        if self._suffers(Kind.CUT):
            self.abort()
        elif not self._suffers(Kind.BLACKHOLE):
            self._open(key, inner)

    def _open(self, key: ClientKey, inner: PacketContent) -> None:
        session, unix = key.session(inner.session_id), time.time()
        session.attach(self)
        about = (inner.message_id, inner.seq_no)
        if flaw := service_messages.flaw_of(inner.message_id, unix):
            session.reply(types.BadMsgNotification(*about, flaw), content=False)
        elif not key.accepts_salt(inner.salt, unix):
            salt = key.salt(unix)
            session.reply(types.BadServerSalt(*about, _WRONG_SALT, salt), content=False)
        else:
            self._announce(session, inner.message_id, unix)
            self._read(session, Incoming(*about, inner.body))

    def _announce(self, session: Session, message_id: int, unix: float) -> None:
        if not session.is_announced:
            session.is_announced = True
            unique_id, salt = session.key.hash, session.key.salt(unix)
            session.reply(types.NewSessionCreated(message_id, unique_id, salt))

    def _read(self, session: Session, message: Incoming) -> None:
        try:
            parts = unpack(message)
        except MalformedBody:
            notification = types.BadMsgNotification(
                message.message_id, message.seq_no, _INVALID_CONTAINER
            )
            session.reply(notification, content=False)
            return
        allowance = Allowance()
        for part in parts:
            self._receive_part(session, part, allowance)

    def _receive_part(self, session: Session, message: Incoming, allowance: Allowance) -> None:
        if message.seq_no % 2:
            session.acknowledge_later(message.message_id)
        if not session.remember(message.message_id):
            return
        try:
            request = read_object(message.body, allowance)
        except UnknownConstructor as exc:
            error = RpcError(f"INPUT_METHOD_INVALID_{exc.constructor}")
            session.answer(message.message_id, error.as_tl())
        except MalformedBody as exc:
            logger.info("cannot read a request: %s", exc)
            session.answer(message.message_id, RpcError("INPUT_FETCH_ERROR").as_tl())
        else:
            if not service_messages.serve(session, message.message_id, request):
                self._endpoint.execute(session, message.message_id, request)

    def claim_key(self) -> None:
        """Use the key for more than files, which only one of its connections may do."""
        key = self._key
        if key is None or self.address.media_only:
            return
        self.has_claim = True
        if any(c is not self and c.has_claim and c.is_open() for c in key.connections):
            logger.warning("a key is used on two connections; it is now invalid")
            key.refusal = "AUTH_KEY_DUPLICATED"

    def _use(self, key: ClientKey) -> None:
        """Count this connection for the key, unless its address is a media-only one."""
        if key is self._key and (self.address.media_only or self in key.connections):
            return
        self._leave(lost=False)
        if self.address.media_only:
            self._key = key
            return
        self._key = key
        key.connections.add(self)
        if key.account:
            key.account.peak_per_key = max(key.account.peak_per_key, self._count_open(key))

    def _count_open(self, key: ClientKey) -> int:
        return sum(connection is self or connection.is_open() for connection in key.connections)

    def _leave(self, *, lost: bool) -> None:
        if self._key:
            self._key.connections.discard(self)
            for session in self._key.sessions.values():
                session.detach(self, lost=lost)

    def _suffers(self, kind: Kind) -> bool:
        phone = self._key.phone if self._key else None
        moment, dc_id = asyncio.get_running_loop().time(), self.address.dc_id
        return self._endpoint.faults.holds(kind, phone, moment, dc_id)
