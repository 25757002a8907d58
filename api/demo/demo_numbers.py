"""Two demo clients, each with one number, for SANDBOX=1."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from supervisor.errors import NumberUnknown
from supervisor.login.session_transfer import SessionSource
from supervisor.store.values import NewNumber

if TYPE_CHECKING:
    from api.settings import Settings
    from supervisor.gateway import Gateway


logger = logging.getLogger(__name__)

READY_POLL = 0.2  # seconds
_PATIENCE = 15.0  # seconds for a demo number to come online
_PROVIDER = "telegram"


@dataclass(frozen=True, slots=True)
class Demo:
    """A client, its number, and a contact who writes to it."""

    client: str
    account: str
    number: str
    first_name: str
    contact: str
    contact_name: str


DEMOS = (
    Demo("Romashka", "romashka", "380500000001", "Olena", "380670000001", "Andriy"),
    Demo("Vesna", "vesna", "380500000002", "Maria", "380670000002", "Taras"),
)


async def set_up_demos(settings: Settings, gateway: Gateway, sandbox_url: str) -> None:
    while not (await gateway.readiness()).ok:  # noqa: ASYNC110 - the gateway offers no event to wait for
        await asyncio.sleep(READY_POLL)
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=30.0) as control:
        for demo in DEMOS:
            await _set_up(demo, settings, gateway, control)


async def _set_up(
    demo: Demo, settings: Settings, gateway: Gateway, control: httpx.AsyncClient
) -> None:
    await _open_account(control, demo.contact, demo.contact_name)
    await _open_account(control, demo.number, demo.first_name)
    session = (await _post(control, "/telegram/sessions", phone=demo.number))["string_session"]
    planfix = {
        "planfix_token": secrets.token_urlsafe(24),
        "provider_id": _PROVIDER,
        "webhook_url": f"{settings.public_url}/webhook/message",
    }
    await _put(control, f"/planfix/{demo.account}", planfix)
    with suppress(NumberUnknown):
        # The sandbox keeps nothing between runs, so the number of an earlier run is of no use.
        await gateway.stop(demo.number, purge=True)
    new = _registration(demo, sandbox_url(control), planfix["planfix_token"])
    created = await gateway.create(new, SessionSource(string=session))
    await _put(control, f"/planfix/{demo.account}", planfix | {"token": created.token})
    view = await gateway.wait_settled(demo.number, _PATIENCE)
    logger.info("demo number %s of client %s: %s", view.number, view.client, view.state)


def _registration(demo: Demo, url: str, planfix_token: str) -> NewNumber:
    return NewNumber(
        number=demo.number,
        client=demo.client,
        url_planfix=f"{url}/planfix/{demo.account}/webchat/api",
        token_planfix=planfix_token,
        provider_id=_PROVIDER,
    )


def sandbox_url(control: httpx.AsyncClient) -> str:
    return str(control.base_url).rstrip("/")


async def _open_account(control: httpx.AsyncClient, phone: str, name: str) -> None:
    await _post(control, "/telegram/accounts", phone=phone, first_name=name)


async def _post(control: httpx.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
    response = await control.post(path, json=fields)
    body: dict[str, Any] = response.raise_for_status().json()
    return body


async def _put(control: httpx.AsyncClient, path: str, fields: dict[str, Any]) -> None:
    (await control.put(path, json=fields)).raise_for_status()


def announce(settings: Settings, sandbox_url: str) -> None:
    # Not written to the log, which would redact the key.
    sys.stdout.write(
        f"\n  Console   {settings.public_url}/console"
        f"\n  API       {settings.public_url}/docs"
        f"\n  Sandbox   {sandbox_url}/"
        f"\n  Admin key {settings.admin_key.get_secret_value()}\n\n"
    )
    sys.stdout.flush()
