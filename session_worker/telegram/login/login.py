"""Logs a number in, on a connection of its own that leaves nothing behind if it fails, and out."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.password import compute_check
from telethon.tl import functions, types

from session_worker.protocol.contract import TroubleCode
from session_worker.telegram.connection.client import AccountClient, trust
from session_worker.telegram.connection.connection import (
    Connection,
    ConnectionTiming,
    fenced,
    require_own,
)
from session_worker.telegram.connection.session_memory import WorkerSession
from session_worker.telegram.errors import (
    Moved,
    NeedsLogin,
    PasswordNeeded,
    Refused,
    TelegramError,
    Unreachable,
)
from session_worker.telegram.login.outcome import (
    CodeExpired,
    CodeInvalid,
    CodeSent,
    LoggedIn,
    PasswordInvalid,
    PasswordWanted,
    QrCode,
)
from session_worker.telegram.proxy import HeldConnections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_worker.protocol.contract import Assignment, UpdateState
    from session_worker.session import WritePermit


KEY_EXCHANGES = 3

_WORDS: dict[str, type[TelegramError]] = {
    "PHONE_CODE_INVALID": CodeInvalid,
    "PHONE_CODE_EMPTY": CodeInvalid,
    "PHONE_CODE_EXPIRED": CodeExpired,
    "PHONE_CODE_HASH_EMPTY": CodeExpired,
    "PASSWORD_HASH_INVALID": PasswordInvalid,
}


class Login:
    """One attempt to log in; after a wrong code or password another one may be entered."""

    def __init__(
        self, assignment: Assignment, right: WritePermit, timing: ConnectionTiming | None = None
    ) -> None:
        self._assignment = assignment
        self._timing = timing or ConnectionTiming()
        self._held_connections = HeldConnections()
        self._transport = fenced(
            right, self._on_lease_lost, assignment.proxy, self._held_connections
        )
        self._session = WorkerSession(None, assignment.data_centre)
        self._connection: Connection | None = None
        self._code_hash = ""
        self._scanned = asyncio.Event()
        self._done = False

    async def send_code(self) -> CodeSent:
        application = self._assignment.application
        request = functions.auth.SendCodeRequest(
            self._assignment.number,
            application.api_id,
            application.api_hash,
            types.CodeSettings(),
        )
        sent = await self._ask(request)
        if not isinstance(sent, types.auth.SentCode):
            raise Refused(0, type(sent).__name__)
        self._code_hash = sent.phone_code_hash
        return CodeSent()

    async def enter_code(self, code: str) -> LoggedIn | PasswordWanted:
        request = functions.auth.SignInRequest(
            self._assignment.number, self._code_hash, code.replace("-", "").replace(" ", "")
        )
        return await self._enter(request)

    async def enter_token(self, token: str) -> LoggedIn:
        """Log a bot in; Telegram asks bots for nothing else."""
        application = self._assignment.application
        request = functions.auth.ImportBotAuthorizationRequest(
            0, application.api_id, application.api_hash, token
        )
        return await self._finish(await self._ask(request))

    async def enter_password(self, password: str) -> LoggedIn:
        challenge = await self._ask(functions.account.GetPasswordRequest())
        check = compute_check(challenge, password)
        return await self._finish(await self._ask(functions.auth.CheckPasswordRequest(check)))

    async def scan_qr(self, show: Callable[[QrCode], None]) -> LoggedIn | PasswordWanted:
        """Show a QR code, and another before it expires, until one has been scanned."""
        while True:
            self._scanned.clear()
            token = await self._export_token()
            if not isinstance(token, types.auth.LoginToken):
                return await self._enter_token(token)
            show(QrCode(qr_url(token.token), token.expires))
            limit = time_to_renew(token.expires, datetime.now(UTC), self._timing.renew_before)
            try:
                async with asyncio.timeout(limit):
                    await self._scanned.wait()
            except TimeoutError:
                continue
            return await self._enter_token(await self._export_token())

    async def close(self) -> None:
        """End the attempt; a code that was sent but not used becomes invalid."""
        if self._connection is None:
            return
        if self._code_hash and not self._done:
            await self._cancel_code()
        await self._disconnect()

    async def _enter(self, request: Any) -> LoggedIn | PasswordWanted:
        try:
            answer = await self._ask(request)
        except PasswordNeeded:
            challenge = await self._ask(functions.account.GetPasswordRequest())
            return PasswordWanted(challenge.hint or "")
        return await self._finish(answer)

    async def _export_token(self) -> Any:
        application = self._assignment.application
        request = functions.auth.ExportLoginTokenRequest(
            application.api_id, application.api_hash, []
        )
        try:
            return await self._ask(request)
        except PasswordNeeded as needed:
            return needed

    async def _enter_token(self, answer: Any) -> LoggedIn | PasswordWanted:
        match answer:
            case PasswordNeeded():
                challenge = await self._ask(functions.account.GetPasswordRequest())
                return PasswordWanted(challenge.hint or "")
            case types.auth.LoginTokenMigrateTo():
                await self._move(answer.dc_id)
                imported = await self._ask(functions.auth.ImportLoginTokenRequest(answer.token))
                return await self._enter_token(imported)
            case types.auth.LoginTokenSuccess():
                return await self._finish(answer.authorization)
            case _:
                raise Refused(0, type(answer).__name__)

    async def _finish(self, authorization: Any) -> LoggedIn:
        if not isinstance(authorization, types.auth.Authorization):
            raise Refused(400, "PHONE_NUMBER_UNOCCUPIED")
        user = authorization.user
        try:
            require_own(user, self._assignment.number, is_bot=self._assignment.is_bot)
        except NeedsLogin:
            # This attempt has just created the login at Telegram, so nobody else uses it.
            await self._ask(functions.auth.LogOutRequest())
            raise
        self._done = True
        return LoggedIn(self._session.key(user.id), user.username)

    async def _ask(self, request: Any) -> Any:
        """Send a request on the open connection, or on a new one under the same key."""
        connection = self._connection or await self._open()
        try:
            return await connection.ask(request)
        except Moved as moved:
            await self._move(moved.dc_id)
            return await self._ask(request)
        except Unreachable:
            await self._disconnect()
            raise
        except Refused as refused:
            kind = _WORDS.get(refused.text)
            if kind is None:
                raise
            raise kind(str(refused)) from refused

    async def _open(self) -> Connection:
        # About one key exchange in 200 fails by chance: unlucky factors, or a key that is too
        # short.
        for _ in range(KEY_EXCHANGES - 1):
            with suppress(Unreachable):
                return await self._connect()
        return await self._connect()

    async def _connect(self) -> Connection:
        if self._assignment.data_centre is not None:
            # A key is agreed on only here: a stored session never needs to verify the other end.
            trust(self._assignment.data_centre)
        client = AccountClient(
            self._session,
            self._assignment.application,
            self._transport,
            self._timing,
            self._on_updates,
        )
        self._connection = connection = Connection(client, self._timing)
        try:
            await connection.open(None)
            await connection.follow()
        except TelegramError:
            await self._disconnect()
            raise
        return connection

    async def _on_updates(self, _state: UpdateState, updates: Sequence[Any]) -> None:
        if any(isinstance(update, types.UpdateLoginToken) for update in updates):
            self._scanned.set()

    async def _move(self, dc_id: int) -> None:
        connection = self._connection or await self._open()
        address = await connection.address_of(dc_id)
        await self._disconnect()
        self._session.set_dc(dc_id, *address)
        self._session.forget_key()

    async def _cancel_code(self) -> None:
        request = functions.auth.CancelCodeRequest(self._assignment.number, self._code_hash)
        try:
            await self._ask(request)
        except TelegramError:
            # It expires by itself a little later.
            return

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._held_connections.close_our_halves(self._timing.proxy_close_limit)
            self._held_connections.forget()
            await asyncio.shield(connection.close())

    def _on_lease_lost(self) -> None:
        """Do nothing: the refused write has ended the connection."""


def qr_url(token: bytes) -> str:
    return "tg://login?token=" + urlsafe_b64encode(token).decode().rstrip("=")


def time_to_renew(expires: datetime, now: datetime, before: float) -> float:
    """Return how long a QR code may be shown."""
    return max(1.0, (expires - now).total_seconds() - before)


async def log_out(
    assignment: Assignment, right: WritePermit, timing: ConnectionTiming | None = None
) -> None:
    """Invalidate the stored key; a key that is already invalid is fine, and another account's is left alone."""
    timing = timing or ConnectionTiming()
    session = WorkerSession(assignment.session, assignment.data_centre)
    held_connections = HeldConnections()
    transport = fenced(right, _ignore_lost_lease, assignment.proxy, held_connections)
    connection = Connection(
        AccountClient(session, assignment.application, transport, timing, _ignore_updates), timing
    )
    try:
        await connection.open(None)
        require_own(await connection.me(), assignment.number, is_bot=assignment.is_bot)
        await connection.ask(functions.auth.LogOutRequest())
    except NeedsLogin as lost:
        if lost.trouble.code is TroubleCode.WRONG_ACCOUNT:
            raise
    finally:
        await held_connections.close_our_halves(timing.proxy_close_limit)
        await asyncio.shield(connection.close())


async def _ignore_updates(_state: UpdateState, _updates: Sequence[Any]) -> None:
    """Ignore the updates, because the account is about to be logged out."""


def _ignore_lost_lease() -> None:
    """Do nothing: the refused write has ended the connection."""
