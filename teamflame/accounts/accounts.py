"""Signs people in and out, and calls the service in their name with tokens that it renews in time."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from supervisor.errors import SealBroken, SecretKeyWrong
from teamflame.errors import AccessExpired, CredentialsInvalid, Limited, SignInNeeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from teamflame.accounts.proof import Caller
    from teamflame.service.auth import Auth
    from teamflame.service.values import Access
    from teamflame.store.accounts import Account, AccountStore

T = TypeVar("T")
Given = ParamSpec("Given")

logger = logging.getLogger(__name__)

MOST_GUESSES = 8  # wrong passwords before one has to wait
GUESS_PAUSE = 60.0  # seconds after which one wrong password is forgotten
_MOST_GUESSERS = 10_000


class SignInLimit:
    """Counts wrong passwords of each caller; the count decreases with time.

    A password counts as wrong until it has been checked; otherwise many guesses at once would pass.
    """

    def __init__(self) -> None:
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, caller: str, now: float) -> None:
        """Count a password, or raise `Limited` while this caller has guessed too often."""
        over = self._left(caller, now) - MOST_GUESSES + 1
        if over > 0:
            raise Limited(over * GUESS_PAUSE)
        self._spent[caller] = (self._left(caller, now) + 1, now)
        self._spent.move_to_end(caller)
        if len(self._spent) > _MOST_GUESSERS:
            self._spent.popitem(last=False)

    def discount(self, caller: str, now: float) -> None:
        """Take back what was counted, because the password was not wrong."""
        self._spent[caller] = (max(0.0, self._left(caller, now) - 1), now)

    def _left(self, caller: str, now: float) -> float:
        spent, at = self._spent.get(caller, (0.0, now))
        return max(0.0, spent - (now - at) / GUESS_PAUSE)


class Accounts:
    """Who is signed in to what; a password is passed on and kept nowhere."""

    def __init__(self, store: AccountStore, auth: Auth) -> None:
        self._store = store
        self._auth = auth
        self._limit = SignInLimit()
        self._renewals: dict[str, asyncio.Task[Access]] = {}
        self._report_lost: Callable[[tuple[int, ...]], Awaitable[None]] | None = None

    def on_lost(self, listener: Callable[[tuple[int, ...]], Awaitable[None]]) -> None:
        """Call this with the Telegram users of an account whose tokens have become useless."""
        self._report_lost = listener

    async def sign_in(self, guesser: str, email: str, password: str) -> Account:
        """Sign in; `guesser` is who has to wait after too many wrong passwords."""
        clock = asyncio.get_running_loop().time
        self._limit.count(guesser, clock())
        is_wrong = False
        try:
            access = await self._auth.sign_in(email, password)
        except CredentialsInvalid:
            is_wrong = True
            raise
        finally:
            if not is_wrong:
                self._limit.discount(guesser, clock())
        return await self._store.save(access)

    async def link(self, user_id: int, language: str, account: Account) -> None:
        await self._store.link(user_id, account.id, language, datetime.now(UTC))

    async def sign_out(self, user_id: int) -> None:
        await self._store.unlink(user_id)

    async def find(self, caller: Caller) -> Account | None:
        """Return the account of the caller, unless its tokens are useless."""
        if caller.user_id is not None:
            found = await self._store.of_user(caller.user_id)
        else:
            found = await self._store.get(caller.account or "")
        return None if found is None or found.needs_sign_in else found

    async def require(self, caller: Caller) -> Account:
        found = await self.find(caller)
        if found is None:
            raise SignInNeeded
        return found

    async def call(
        self,
        account: str,
        method: Callable[Concatenate[str, Given], Awaitable[T]],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> T:
        """Call a method of the service with the account's token; renew it if it is refused."""
        access = await self._fresh(account)
        try:
            return await method(access.token, *args, **kwargs)
        except AccessExpired:
            renewed = await self._renew(account, access)
        try:
            return await method(renewed.token, *args, **kwargs)
        except AccessExpired as exc:
            await self._lose(account)
            raise SignInNeeded from exc

    async def _fresh(self, account: str) -> Access:
        access = await self._read(account)
        if datetime.now(UTC) < access.renew_at:
            return access
        return await self._renew(account, access)

    async def stop(self) -> None:
        """Let the renewals end, because TeamFlame no longer accepts the earlier tokens."""
        if self._renewals:
            await asyncio.wait(self._renewals.values())

    async def _renew(self, account: str, used: Access) -> Access:
        """Renew the tokens once, even if many calls find them too old at the same time.

        A caller who hangs up meanwhile does not stop it, or the new tokens would be lost.
        """
        if account not in self._renewals:
            renewal = asyncio.create_task(self._renew_once(account, used))
            self._renewals[account] = renewal
            renewal.add_done_callback(partial(self._end_renewal, account))
        return await asyncio.shield(self._renewals[account])

    async def _renew_once(self, account: str, used: Access) -> Access:
        known = await self._read(account)
        if known.token != used.token:
            return known
        try:
            renewed = await self._auth.renew(known.refresh)
        except AccessExpired as exc:
            await self._lose(account)
            raise SignInNeeded from exc
        await self._store.renew(account, renewed)
        return renewed

    def _end_renewal(self, account: str, renewal: asyncio.Task[Access]) -> None:
        del self._renewals[account]
        if not renewal.cancelled() and (failure := renewal.exception()):
            logger.info("the tokens of a TeamFlame account were not renewed: %s", failure)

    async def _read(self, account: str) -> Access:
        try:
            access = await self._store.access_of(account)
        except (SealBroken, SecretKeyWrong) as exc:
            logger.warning("the tokens of a TeamFlame account cannot be opened: %s", exc)
            raise SignInNeeded from exc
        if access is None:
            raise SignInNeeded
        return access

    async def _lose(self, account: str) -> None:
        users = await self._store.require_sign_in(account)
        if users and self._report_lost is not None:
            await self._report_lost(users)
