"""Telethon's client, configured so that it does nothing on its own, with the defects of its message box repaired."""

from __future__ import annotations

import asyncio
import logging
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telethon import TelegramClient, errors, utils
from telethon._updates import MessageBox, SessionState
from telethon._updates.messagebox import ENTRY_ACCOUNT, PtsInfo
from telethon.crypto import rsa
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from session_worker.protocol.contract import UpdateState
from session_worker.telegram.connection.decoding import Differences, PiecewiseState, log_undecodable
from session_worker.telegram.connection.updates import Gap, LibraryQueue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from session_worker.protocol.contract import Application, DataCentre
    from session_worker.telegram.connection.connection import ConnectionTiming
    from session_worker.telegram.connection.decoding import OnUndecodable
    from session_worker.telegram.connection.session_memory import WorkerSession
    from session_worker.telegram.errors import TelegramError

    Arrived = Callable[[UpdateState, Sequence[Any]], Awaitable[None]]

# Telethon logs every lost connection as an error; the code that uses the connection logs what matters.
LIBRARY_LOG = logging.getLogger("session_worker.telethon")
LIBRARY_LOG.setLevel(logging.CRITICAL)

DEVICE = "Telefix"
APP_VERSION = "1"
ENTITY_CACHE = 200  # users; we have a cache of our own, so the library needs only a few
RAW_UPDATES = 2000
NOISE = (
    types.UpdateUserStatus,
    types.UpdateUserTyping,
    types.UpdateChatUserTyping,
    types.UpdateChannelUserTyping,
)


def trust(data_centre: DataCentre) -> None:
    """Accept a data centre other than Telegram's own; this applies to the whole process."""
    rsa.add_key(data_centre.public_key, old=False)


class AccountClient(TelegramClient):  # type: ignore[misc]  # telethon is untyped
    """One connection to Telegram, which never reconnects, never sleeps and hands updates over in order."""

    def __init__(
        self,
        session: WorkerSession,
        application: Application,
        connection: type[Any],
        timing: ConnectionTiming,
        arrived: Arrived,
        on_undecodable: OnUndecodable = log_undecodable,
    ) -> None:
        super().__init__(
            session,
            application.api_id,
            application.api_hash,
            connection=connection,
            use_ipv6=":" in (session.server_address or ""),
            timeout=timing.connect_limit,
            request_retries=0,
            connection_retries=0,
            retry_delay=0,
            auto_reconnect=False,
            flood_sleep_threshold=0,
            raise_last_call_error=True,
            device_model=DEVICE,
            app_version=APP_VERSION,
            entity_cache_limit=ENTITY_CACHE,
            base_logger=LIBRARY_LOG,
        )
        self._arrived = arrived
        self._verified = asyncio.Event()
        self._message_box = AccountBox(self._log["messagebox"])
        self._updates_queue = LibraryQueue(RAW_UPDATES, self._verified)
        self._sender._updates_queue = self._updates_queue  # noqa: SLF001 - bounded instead of endless
        self._on_undecodable = on_undecodable
        self._differences = Differences(self._send, self._message_box.skip)
        self._decode_piecewise()

    @property
    def fault(self) -> BaseException | None:
        """The error that made the library stop following the updates."""
        error: BaseException | None = self._updates_error
        return error

    @property
    def update_state(self) -> UpdateState:
        """How far this client has followed the account's updates."""
        state: UpdateState = self._message_box.state()
        return state

    @property
    def is_behind(self) -> bool:
        """Whether updates are known to be missing and will be fetched."""
        behind: bool = self._message_box.is_behind
        return behind

    @property
    def backlog(self) -> int:
        depth: int = self._updates_queue.qsize()
        return depth

    @property
    def pushes(self) -> int:
        """How many updates Telegram has sent on this connection unasked."""
        count: int = self._updates_queue.pushes
        return count

    async def open(self, state: UpdateState | None) -> None:
        """Connect; updates are followed from ``state`` on, or from now if there is none."""
        if state is not None:
            self._message_box.restore(state)
        await self.connect()

    async def follow(self) -> None:
        """Let updates through, now that the account is known to be the right one."""
        await self._arrived(self.update_state, ())
        self._verified.set()

    def end_pings(self) -> None:
        """Leave it to the caller to find out, again and again, whether the connection still works."""
        if self._keepalive_handle is not None:
            self._keepalive_handle.cancel()

    def blame(self, error: TelegramError) -> TelegramError:
        """Return the error of the side that is responsible for the silence."""
        connection = self._sender._connection  # noqa: SLF001 - only the transport knows what it has received
        if connection is None:
            return error
        blamed: TelegramError = connection.blame(error)
        return blamed

    def drop(self) -> None:
        """Close the connection at once; ``disconnect`` then has nothing to wait for."""
        if self._updates_handle is not None:
            # First of all, so that no update of this connection arrives after those of the next.
            self._updates_handle.cancel()
        connection = self._sender._connection  # noqa: SLF001 - a half-open connection cannot be closed politely
        if connection is not None:
            connection.abort()

    async def __call__(self, request: Any, ordered: bool = False, **_: Any) -> Any:
        # Telethon's own method would sleep after a 5xx and repeat the request, and after a flood
        # wait it would refuse all requests of that kind.
        await request.resolve(self, utils)
        if isinstance(request, functions.updates.GetDifferenceRequest):
            return await self._differences.read(request)
        return await self._send(request, ordered=ordered)

    async def _send(self, request: Any, *, ordered: bool = False) -> Any:
        try:
            result = await self._sender.send(request, ordered=ordered)
        except errors.TypeNotFoundError as error:
            self._on_undecodable(error)
            raise
        self.session.process_entities(result)
        return result

    @property
    def loggers(self) -> Any:
        """The loggers of the library."""
        return self._log

    def connection_to(self, dc_id: int, host: str, port: int) -> Any:
        """Make a connection of the same kind to another data centre."""
        return self._connection(
            host, port, dc_id, loggers=self._log, proxy=self._proxy, local_addr=self._local_addr
        )

    def introducing(self, request: Any) -> Any:
        """Wrap the first request of a connection in the description of this client."""
        introduction = copy(self._init_request)
        introduction.query = request
        return functions.InvokeWithLayerRequest(LAYER, introduction)

    def _decode_piecewise(self) -> None:
        sender = self._sender
        state = PiecewiseState(sender.auth_key, sender._loggers, self._on_undecodable)  # noqa: SLF001 - instead of the library's
        sender._state = sender._send_queue._state = state  # noqa: SLF001 - the same

    async def _preprocess_updates(self, updates: Any, users: Any, chats: Any) -> list[Any]:
        await super()._preprocess_updates(updates, users, chats)
        gaps = self._message_box.take_gaps()
        self._message_box.record_newest(updates)
        relevant = [u for u in updates if self._is_relevant(u)]
        await self._arrived(self.update_state, [*gaps, *relevant])
        return []

    def _is_relevant(self, update: Any) -> bool:
        """Leave channels out; only a bot hears what is written in a supergroup, while it is online."""
        if isinstance(update, types.UpdateNewChannelMessage):
            return bool(self.session.is_bot)
        return not isinstance(update, NOISE) and not is_of_channel(update)


class AccountBox(MessageBox):  # type: ignore[misc]  # telethon is untyped
    """A message box that keeps all updates of a difference and does not follow channels."""

    def __init__(self, log: Any) -> None:
        super().__init__(log)
        self._gaps: list[Gap] = []
        self._trusted = False
        self._newest_id = 0

    def restore(self, state: UpdateState) -> None:
        self.load(
            SessionState(0, 0, False, state.pts, state.qts, state.date, state.seq, None),
            [],
        )

    def state(self) -> UpdateState:
        account, _ = self.session_state()
        return UpdateState(
            pts=account["pts"],
            qts=account["qts"],
            date=int(self.date.timestamp()),
            seq=account["seq"],
        )

    @property
    def is_behind(self) -> bool:
        """Whether updates are known to exist that have not arrived yet."""
        return bool(self.possible_gaps or self.getting_diff_for)

    def skip(self, gap: Gap) -> None:
        """Move the update state past updates that cannot be decoded."""
        self._gaps.append(replace(gap, after_id=self._newest_id))
        self.map[ENTRY_ACCOUNT].pts = gap.pts_to

    def take_gaps(self) -> list[Gap]:
        gaps, self._gaps = self._gaps, []
        return gaps

    def record_newest(self, updates: Iterable[Any]) -> None:
        """Remember the id of the newest message of the account."""
        self._newest_id = max((self._newest_id, *map(_message_id, updates)))

    def apply_pts_info(self, update: Any, *, reset_deadlines: Any) -> Any:
        # Telethon drops the account's own updates from a difference (they count as "being fetched")
        # and starts differences of channels, which this gateway does not need.
        if self._trusted or is_of_channel(update):
            return update
        return super().apply_pts_info(update, reset_deadlines=reset_deadlines)

    def apply_difference(self, diff: Any, chat_hashes: Any) -> Any:
        before = self.map[ENTRY_ACCOUNT].pts
        self._trusted = True
        try:
            updates, users, chats = super().apply_difference(diff, chat_hashes)
        finally:
            self._trusted = False
        if isinstance(diff, types.updates.DifferenceTooLong) and diff.pts > before:
            self._gaps.append(Gap(before, diff.pts))
            # Telegram wants to be asked for the difference again, from the state that it named.
            self.try_begin_get_diff(ENTRY_ACCOUNT, "the difference was too long")
        # A difference without other updates contains its own container as one of them.
        found = [update for update in updates if not isinstance(update, types.Updates)]
        return messages_first(found), users, chats


def _message_id(update: Any) -> int:
    match update:
        case types.UpdateNewMessage(message=message):
            return int(message.id)
        case types.UpdateShortMessage() | types.UpdateShortChatMessage():
            return int(update.id)
        case _:
            return 0


def is_of_channel(update: Any) -> bool:
    """Whether an update belongs to a channel or a supergroup."""
    if isinstance(update, types.UpdateChannelTooLong):
        return True
    info = PtsInfo.from_update(update)
    return info is not None and isinstance(info.entry, int)


def messages_first(updates: list[Any]) -> list[Any]:
    """Order a difference so that no message is edited before it exists."""
    return sorted(updates, key=lambda update: not isinstance(update, types.UpdateNewMessage))
