"""Planfix as a whole: its accounts, found by name."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx

from sandbox.planfix.account import Account
from sandbox.planfix.employee import Delivery, Employee

if TYPE_CHECKING:
    from sandbox.planfix.answer import Answer
    from sandbox.planfix.form import Form
    from sandbox.planfix.reply import Reply
    from sandbox.planfix.settings import Settings

logger = logging.getLogger(__name__)
TLS = httpx.create_ssl_context()  # created once, because that reads files for tens of milliseconds
TIMEOUT = httpx.Timeout(30.0, pool=None)
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=50)


class AccountUnknown(Exception):
    """There is no Planfix account with this name."""


class Planfix:
    """Owns the accounts, the running calls and the HTTP client that they use."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._http = httpx.AsyncClient(verify=TLS, timeout=TIMEOUT, limits=LIMITS, trust_env=False)
        self._employees: dict[str, Employee] = {}
        self._calls: set[asyncio.Task[Answer | None]] = set()
        self.accounts: dict[str, Account] = {}

    def put_account(self, name: str, settings: Settings) -> Account:
        """Make an account, or change the settings of one that exists."""
        known = self.accounts.get(name)
        if known is not None:
            known.settings = known.settings.changed_by(settings)
            return known
        account = Account(name, f"{self._base_url}/planfix/{name}", settings, self._http)
        self.accounts[name] = account
        self._employees[name] = Employee(account)
        return account

    def account(self, name: str) -> Account:
        if name not in self.accounts:
            raise AccountUnknown(f"no Planfix account {name}")
        return self.accounts[name]

    async def answer(self, name: str, form: Form) -> Answer | None:
        """Carry a call out completely, even if the caller disconnects in the meantime."""
        task = asyncio.create_task(self.account(name).answer(form))
        self._calls.add(task)
        task.add_done_callback(self._finish)
        return await asyncio.shield(task)

    async def reply(self, name: str, reply: Reply) -> Delivery:
        """Send a message from an employee of the account."""
        self.account(name)
        return await self._employees[name].reply(reply)

    def reset(self) -> None:
        """Remove all accounts; running calls finish without leaving a trace."""
        self.accounts.clear()
        self._employees.clear()

    async def close(self) -> None:
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._http.aclose()

    def _finish(self, task: asyncio.Task[Answer | None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            logger.error("a call to Planfix failed", exc_info=failure)
