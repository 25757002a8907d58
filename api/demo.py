"""What SANDBOX=1 adds: the sandbox as a child process, and two demo clients with one number each."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import socket
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from supervisor.errors import NumberUnknown
from supervisor.login.session_transfer import SessionSource
from supervisor.store.values import NewNumber

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from api.settings import Settings
    from supervisor.gateway import Gateway


logger = logging.getLogger("sandbox")

HOST = "127.0.0.1"
LAST_PORT = 65534  # the sandbox page is at the port after it
_READY = b"READY"
_START_TIME = 120.0  # seconds, because the machine may be busy
_STOP_TIME = 3.0  # seconds
_HERE = Path(__file__).parents[1]
# The kernel kills the sandbox when its gateway ends, even if the gateway was killed.
_PROGRAM = (
    "import ctypes, runpy, signal; "
    "ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    "runpy.run_module('sandbox', run_name='__main__', alter_sys=True)"
)


class SandboxFailed(Exception):
    """The embedded sandbox did not start."""


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """Where the sandbox listens, and the public key of its data centre."""

    telegram_port: int
    http_port: int
    key_file: Path
    host: str = HOST

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.http_port}"


@asynccontextmanager
async def run_sandbox(data_dir: Path, http_port: int) -> AsyncIterator[RunningSandbox]:
    """Run the sandbox; its page is at this port, or at any free one for 0."""
    if http_port and not is_free(http_port):
        raise SandboxFailed(f"port {http_port} is in use; choose another one with SANDBOX_PORT")
    key_file = data_dir / "sandbox.pem"
    process = await _start(http_port, key_file)
    try:
        ports = await _read_ports(process)
        relay = asyncio.create_task(_relay(process))
        try:
            yield RunningSandbox(ports["Telegram"], ports["HTTP"], key_file)
        finally:
            relay.cancel()
    finally:
        await _stop(process)


async def _start(http_port: int, key_file: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        *("--http-port", str(http_port)),
        *("--key", str(key_file)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        cwd=_HERE,
        start_new_session=True,  # Ctrl-C stops the gateway, which needs its sandbox until it has stopped
    )


async def _read_ports(process: Process) -> dict[str, int]:
    """Wait until the sandbox is ready; return the ports that it says it listens on."""
    ports: dict[str, int] = {}
    try:
        async with asyncio.timeout(_START_TIME):
            while (line := await _read_line(process)) != _READY:
                if not line:
                    raise SandboxFailed("it exited during startup")
                name, _, address = line.decode().partition(": ")
                ports[name] = int(address.rpartition(":")[2])
            return ports
    except TimeoutError as exc:
        raise SandboxFailed(f"it was not ready within {_START_TIME:.0f} s") from exc


async def _relay(process: Process) -> None:
    while line := await _read_line(process):
        logger.info("%s", line.decode(errors="replace"))
    logger.error("the sandbox has exited")


async def _read_line(process: Process) -> bytes:
    assert process.stdout is not None
    line = await process.stdout.readline()
    return line.strip() or line


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIME):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def require_free(wanted: str) -> None:
    """End this program with one sentence if this is no port, or one in use; `make run` asks before it starts."""
    port = int(wanted) if re.fullmatch("[0-9]{1,5}", wanted) else 0
    if not 0 < port <= LAST_PORT:
        sys.exit(f"PORT must be a number from 1 to {LAST_PORT}, for example: make run PORT=9000")
    if not is_free(port):
        other = port + 100 if port + 100 <= LAST_PORT else 9000
        sys.exit(
            f"Port {port} is in use: end the program that uses it, "
            f"or take another port, for example with: make run PORT={other}"
        )


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


READY_POLL = 0.2  # seconds
_PATIENCE = 60.0  # seconds for a demo number to come online
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
        await forget_bots(gateway, control)
        for demo in DEMOS:
            await _set_up(demo, settings, gateway, control)


async def forget_bots(gateway: Gateway, control: httpx.AsyncClient) -> None:
    """Erase the bots of an earlier run, of which the sandbox knows nothing any more."""
    accounts = (await control.get("/telegram/accounts")).raise_for_status().json()
    tokens = [account["bot_token"] for account in accounts if account["bot"]]
    found = [await gateway.bots.find_by_token(token) for token in tokens]
    known = {bot.bot for bot in found if bot is not None}
    for bot in (await gateway.bots.list()).keys() - known:
        with suppress(NumberUnknown):  # the TeamFlame demo erases its own bot as well
            await gateway.stop(bot, purge=True)


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


def announce(settings: Settings, sandbox_url: str, console_link: str) -> None:
    # Not written to the log, which would redact the key.
    sys.stdout.write(
        f"\n  Console   {settings.public_url}{console_link} (signs you in, once)"
        f"\n  API       {settings.public_url}/docs"
        f"\n  Sandbox   {sandbox_url}/"
        f"\n  Admin key {settings.admin_key.get_secret_value()}\n\n"
    )
    sys.stdout.flush()
