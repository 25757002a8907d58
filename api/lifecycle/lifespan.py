"""Starts and stops everything around the serving application."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from api.bots.own_bot import own_bot
from api.context import Context, SurvivingWork, share
from api.demo import RunningSandbox, SandboxFailed, announce, run_sandbox, set_up_demos
from api.lifecycle.server_process import StartRefused, drain_before_stop, follow_server_master
from api.nodes.forwarding import open_forwarding
from api.operations.pages import make_console_link
from api.security.authenticator import Authenticator
from api.security.client_address import parse_proxies
from api.teamflame import config_of, run_teamflame_demo, serve_teamflame
from supervisor.config import Config, NodeConfig, TelegramDataCentre
from supervisor.encryption.vault import rsa_public_key
from supervisor.errors import DatabaseUnavailable, GatewayError
from supervisor.file_access import make_private_folder, warn_if_open
from supervisor.gateway import Gateway
from supervisor.ownership import DataDirLock
from supervisor.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path
    from typing import Any

    from quart import Quart

    from api.settings import Settings


YOUNG = 10_000
"""New objects among which garbage is looked for.

Python's 700 are the objects of five calls: it would look again and again at calls that are not over.
"""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def serve_gateway(
    app: Quart, settings: Settings, gateway: Gateway | None
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        stack.enter_context(follow_server_master())
        sandbox = await _start_sandbox(stack, settings)
        gateway = await _start(stack, gateway or await _make(settings, sandbox))
        work = await stack.enter_async_context(SurvivingWork())
        proxies = parse_proxies(settings.trusted_proxies)
        authenticator = Authenticator(settings.admin_key.get_secret_value(), gateway, proxies)
        share(app, Context(settings, gateway, authenticator, work))
        if gateway.node is not None:
            await stack.enter_async_context(open_forwarding(app, settings, gateway.node))
            stack.enter_context(drain_before_stop(gateway.node))
        await stack.enter_async_context(own_bot(settings, gateway))
        await stack.enter_async_context(serve_teamflame(app, gateway, config_of(settings)))
        if sandbox is not None:
            await stack.enter_async_context(_demo(app, settings, gateway, sandbox))
        # These objects stay until the end; a full collection that visits them pauses us for 50 ms.
        gc.freeze()
        gc.set_threshold(YOUNG)
        yield


async def _start_sandbox(stack: AsyncExitStack, settings: Settings) -> RunningSandbox | None:
    if not settings.sandbox:
        return None
    try:
        return await stack.enter_async_context(
            run_sandbox(settings.data_dir, settings.sandbox_page_port)
        )
    except SandboxFailed as exc:
        raise StartRefused(f"{exc.__doc__} ({exc})") from exc


async def _make(settings: Settings, sandbox: RunningSandbox | None) -> Gateway:
    try:
        return await asyncio.to_thread(make_gateway, settings, sandbox)
    except OSError as exc:
        raise StartRefused(f"The gateway cannot start: {exc}") from exc


async def _start(stack: AsyncExitStack, gateway: Gateway) -> Gateway:
    try:
        return await stack.enter_async_context(gateway)
    except DatabaseUnavailable as exc:
        hint = "Check DATABASE_URL, and that the database runs."
        raise StartRefused(f"The gateway cannot start: {exc} {hint}") from exc
    except GatewayError as exc:
        raise StartRefused(f"The gateway cannot start: {exc}") from exc


@asynccontextmanager
async def _demo(
    app: Quart, settings: Settings, gateway: Gateway, sandbox: RunningSandbox
) -> AsyncIterator[None]:
    announce(settings, sandbox.url, make_console_link(app))
    parts = [set_up_demos(settings, gateway, sandbox.url)]
    if not settings.teamflame_bot_token.get_secret_value():
        parts.append(run_teamflame_demo(app, settings, gateway, sandbox.url))
    running = [asyncio.create_task(_run_demo(part)) for part in parts]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _run_demo(part: Coroutine[Any, Any, None]) -> None:
    try:
        await part
    except Exception:  # the root of this task; the gateway works without a demo
        logger.exception("the gateway could not set up the demo")


def make_gateway(settings: Settings, sandbox: RunningSandbox | None) -> Gateway:
    store = Store(
        settings.database_url.get_secret_value(),
        settings.secret_key.get_secret_value(),
        patience=settings.node_ttl if settings.node_url else None,
    )
    return Gateway(store, DataDirLock(settings.data_dir), make_config(settings, sandbox))


def make_config(settings: Settings, sandbox: RunningSandbox | None) -> Config:
    for path, setting in ((settings.data_dir, "DATA_DIR"), (settings.session_root, "SESSION_ROOT")):
        _make_folder(path, setting)
    return Config(
        data_dir=settings.data_dir,
        session_root=settings.session_root,
        api_id=settings.telegram_api_id,
        api_hash=settings.telegram_api_hash.get_secret_value(),
        data_centre=_data_centre(settings, sandbox),
        language=settings.language,
        log_level=settings.log_level,
        log_format=settings.log_format,
        public_url=settings.public_url,
        retention_days=settings.retention_days,
        allow_private_planfix=settings.allow_private_planfix,
        merge_memory=settings.memory_merge == "auto",
        alert_url=settings.alert_url,
        alert_chat=settings.alert_chat,
        node=_node(settings),
    )


def _make_folder(path: Path, setting: str) -> None:
    try:
        make_private_folder(path)
        warn_if_open(path, setting)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise StartRefused(
            f"The gateway cannot start: {setting}: the folder {path} cannot be made or used: {reason}"
        ) from exc


def _node(settings: Settings) -> NodeConfig | None:
    if not settings.node_url:
        return None
    return NodeConfig(
        settings.node_url, settings.node_ttl, settings.node_takeover, settings.files_url
    )


def _data_centre(settings: Settings, sandbox: RunningSandbox | None) -> TelegramDataCentre | None:
    if sandbox is not None:
        host, port, key = sandbox.host, sandbox.telegram_port, sandbox.key_file
    elif settings.data_centre is not None and settings.telegram_dc_key is not None:
        (host, port), key = settings.data_centre, settings.telegram_dc_key
    else:
        return None
    return TelegramDataCentre(host, port, rsa_public_key(key.read_bytes()))
