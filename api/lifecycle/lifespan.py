"""What runs while the application serves: the sandbox if wanted, the gateway, the demo."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from api.announcement import announce
from api.context import Context, share
from api.demo.demo_numbers import set_up_demos
from api.demo.embedded_sandbox import RunningSandbox, SandboxFailed, run_sandbox
from api.parent import bound_to_parent
from api.refusal import StartRefused
from api.security.authenticator import Door
from api.security.client_address import parse_proxies
from api.undisturbed import Undisturbed
from api.wiring import make_gateway
from supervisor.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from quart import Quart

    from api.gateway import Gateway
    from api.settings import Settings

logger = logging.getLogger(__name__)


@asynccontextmanager
async def serve_gateway(
    app: Quart, settings: Settings, gateway: Gateway | None
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.enter_context(bound_to_parent())
        sandbox = await _start_sandbox(stack, settings)
        gateway = await _start(stack, gateway or await _make(settings, sandbox))
        work = await stack.enter_async_context(Undisturbed())
        proxies = parse_proxies(settings.trusted_proxies)
        door = Door(settings.admin_key.get_secret_value(), gateway, proxies)
        share(app, Context(settings, gateway, door, work))
        if sandbox is not None:
            await stack.enter_async_context(_demo(settings, gateway, sandbox))
        # What is there by now stays; looking through it, a full collection held all up for 50 ms.
        gc.freeze()
        yield


async def _start_sandbox(stack: AsyncExitStack, settings: Settings) -> RunningSandbox | None:
    if not settings.sandbox:
        return None
    try:
        return await stack.enter_async_context(run_sandbox(settings.data_dir))
    except SandboxFailed as exc:
        raise StartRefused(f"{exc.__doc__} ({exc})") from exc


async def _make(settings: Settings, sandbox: RunningSandbox | None) -> Gateway:
    try:
        return await asyncio.to_thread(make_gateway, settings, sandbox)
    except OSError as exc:
        raise StartRefused(f"The gateway can not start: {exc}") from exc


async def _start(stack: AsyncExitStack, gateway: Gateway) -> Gateway:
    try:
        return await stack.enter_async_context(gateway)
    except GatewayError as exc:
        raise StartRefused(f"The gateway can not start: {exc}") from exc


@asynccontextmanager
async def _demo(
    settings: Settings, gateway: Gateway, sandbox: RunningSandbox
) -> AsyncIterator[None]:
    announce(settings, sandbox.url)
    setting_up = asyncio.create_task(_set_up_demo(settings, gateway, sandbox))
    try:
        yield
    finally:
        setting_up.cancel()
        with suppress(asyncio.CancelledError):
            await setting_up


async def _set_up_demo(settings: Settings, gateway: Gateway, sandbox: RunningSandbox) -> None:
    try:
        await set_up_demos(settings, gateway, sandbox.url)
    except Exception:  # the root of this task; the gateway serves without a demo too
        logger.exception("the demo could not be set up")
