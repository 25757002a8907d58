"""Logs numbers in, step by step or by a one-time link for the client, and out."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from session_worker.protocol.login import (
    EnterCode,
    EnterPassword,
    LoginByCode,
    LoginByQr,
    LoginStage,
    LogOut,
    WatchQr,
)
from supervisor.encryption.vault import hash_token, new_token
from supervisor.errors import GatewayError, LinkDead, LoggedInAlready, NotLoggingIn
from supervisor.numbers.login_dialog import SIGN_IN, SIGN_OUT, OneOffSession
from supervisor.numbers.state import State
from supervisor.numbers.view import view_of

if TYPE_CHECKING:
    from session_worker.protocol.contract import Command
    from session_worker.protocol.login import LoginMoved
    from supervisor.config import Config
    from supervisor.numbers.keeper import Keeper
    from supervisor.numbers.keepers import Keepers
    from supervisor.store.store import Store
    from supervisor.store.values import LoginLink


SETTLE = 30.0  # seconds that a number may take to come online after its login
LOGIN_LOOK_TIMEOUT = 60.0  # seconds that a look waits for a step that is under way
LOG_OUT = 20.0  # seconds to end a session at Telegram

_OPEN = frozenset({State.NEEDS_LOGIN, State.NEEDS_CODE, State.NEEDS_PASSWORD, State.BANNED})

logger = logging.getLogger(__name__)


class LoginMethod(StrEnum):
    """How the owner of the number logs in."""

    CODE = "code"
    QR = "qr"


@dataclass(frozen=True, slots=True)
class Qr:
    """The QR code that the owner of the number scans, until it expires."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the login of a number has come."""

    state: State
    qr: Qr | None = None
    hint: str = ""
    is_open: bool = False
    """Whether a login is under way."""


class LoginService:
    """Begins logins, passes codes and passwords on, and ends sessions at Telegram."""

    def __init__(self, store: Store, keepers: Keepers, config: Config) -> None:
        self._store = store
        self._keepers = keepers
        self._config = config

    async def begin(self, number: str, method: LoginMethod, who: str) -> Progress:
        """Start a login of a number that is not logged in, and stop its present worker if any."""
        async with self._keepers.claimed(number):
            await self._require_logged_out(number)
            await self._store.numbers.start(number)
            keeper = self._keepers.keeper_of(number)
            await keeper.stop()
            keeper.login.who = who
            request_id = keeper.login.open()
            opening = self._opening(method, request_id)
            await self._keepers.start(number, OneOffSession(SIGN_IN, opening))
        await keeper.login.wait(request_id)
        return _progress(keeper.live_state.state, keeper)

    async def enter_code(self, number: str, code: str) -> Progress:
        keeper = await self._logging_in(number)
        request_id = keeper.login.open()
        return await self._enter(keeper, EnterCode(request_id=request_id, code=code), request_id)

    async def enter_password(self, number: str, password: str) -> Progress:
        keeper = await self._logging_in(number)
        request_id = keeper.login.open()
        step = EnterPassword(request_id=request_id, password=password)
        return await self._enter(keeper, step, request_id)

    async def watch(self, number: str) -> Progress:
        """Return how far the login has come; a QR code that is watched is kept up to date.

        A new login ends the previous one. A caller that looks in between waits for the new one;
        otherwise a page would show that no login is under way.
        """
        async with self._keepers.lock_of(number):
            keeper = self._keepers.find(number)
        if keeper is not None:
            await keeper.login.wait_until_answered(LOGIN_LOOK_TIMEOUT)
        stored, keeper = await self._store.numbers.get(number), self._keepers.find(number)
        progress = _progress(view_of(stored, keeper).state, keeper)
        if keeper is not None and progress.qr is not None:
            keeper.send(WatchQr())
        return progress

    async def log_out(self, number: str) -> bool | None:
        """Stop the number's worker and end its session at Telegram; return None if it has none."""
        if await self._store.sessions.load(number) is None:
            return None
        keeper = self._keepers.keeper_of(number)
        await keeper.stop()
        request_id = keeper.login.open()
        await self._keepers.start(number, OneOffSession(SIGN_OUT, LogOut(request_id=request_id)))
        try:
            async with asyncio.timeout(LOG_OUT):
                await keeper.login.wait(request_id)
        except (TimeoutError, GatewayError) as exc:
            logger.warning("number %s: its session could not be ended at Telegram: %s", number, exc)
            return False
        finally:
            await keeper.stop()
        return True

    async def _require_logged_out(self, number: str) -> None:
        stored, keeper = await self._store.numbers.get(number), self._keepers.find(number)
        if view_of(stored, keeper).state in _OPEN:
            return
        if await self._store.sessions.load(number) is not None:
            raise LoggedInAlready

    async def _logging_in(self, number: str) -> Keeper:
        await self._store.numbers.get(number)
        keeper = self._keepers.find(number)
        if keeper is None or keeper.login.reached is None:
            raise NotLoggingIn
        return keeper

    async def _enter(self, keeper: Keeper, step: Command, request_id: int) -> Progress:
        keeper.send(step)
        moved = await keeper.login.wait(request_id)
        if moved.stage is LoginStage.LOGGED_IN:
            await keeper.live_state.wait_settled(SETTLE)
        return _progress(keeper.live_state.state, keeper)

    def _opening(self, method: LoginMethod, request_id: int) -> Command:
        patience = self._config.login_patience
        match method:
            case LoginMethod.CODE:
                return LoginByCode(request_id=request_id, patience=patience)
            case LoginMethod.QR:
                unwatched = self._config.qr_patience
                return LoginByQr(
                    request_id=request_id, patience=patience, patience_unwatched=unwatched
                )


def _progress(state: State, keeper: Keeper | None) -> Progress:
    reached = keeper and keeper.login.reached
    if not reached or reached.stage is LoginStage.LOGGED_IN:
        return Progress(state)
    return Progress(state, _qr(reached), reached.hint, is_open=True)


def _qr(reached: LoginMoved) -> Qr | None:
    if reached.qr_url is None or reached.expires_at is None:
        return None
    return Qr(reached.qr_url, reached.expires_at)


class MadeLink(NamedTuple):
    """The secret of a new link, which is shown only once."""

    secret: str
    expires_at: datetime


class LoginLinks:
    """Each number has at most one link: a new one replaces the previous one."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    async def make(self, number: str) -> MadeLink:
        await self._store.numbers.get(number)
        made = MadeLink(new_token(), _now() + timedelta(seconds=self._config.link_lifetime))
        await self._store.login_links.save(number, hash_token(made.secret), made.expires_at)
        return made

    async def open(self, secret: str) -> LoginLink:
        """Return the link with this secret; raise LinkDead if there is none or it has expired."""
        link = await self._store.login_links.find(hash_token(secret))
        if link is None or link.expires <= _now():
            raise LinkDead
        return link


def _now() -> datetime:
    return datetime.now(UTC)
