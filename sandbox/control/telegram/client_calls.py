"""The calls below `/telegram` about the clients of accounts: their logins, connections and troubles."""

from __future__ import annotations

import os
import signal
from asyncio import to_thread
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from quart import Blueprint

from sandbox.control.errors import ControlError
from sandbox.control.request_body import read_body, read_json
from sandbox.control.telegram.bodies import MethodTrouble, Phone, PhoneOnly, Scan, Trouble
from sandbox.control.telegram.calls import data_centre, read_argument
from sandbox.order import Order
from sandbox.telegram.faults import Kind
from sandbox.telegram.methods.logins.qr import scan

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

blueprint = Blueprint("clients", __name__, url_prefix="/telegram")
PROC = Path("/proc")
SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}


class ProcessTrouble(Order):
    """Something that happens to the process of an account's client on this machine."""

    phone: Phone
    do: Literal["kill", "freeze", "thaw"]


@blueprint.post("/sessions")
async def post_session() -> tuple[Json, int]:
    order = await read_body(PhoneOnly)
    return {"string_session": data_centre().session_string_for(order.phone)}, 201


@blueprint.post("/qr")
async def post_qr() -> Json:
    order = await read_body(Scan)
    owner = data_centre().account_of(order.phone)
    scan(data_centre(), owner, _token_of(order.url))
    return {}


@blueprint.get("/qr")
async def get_codes() -> list[dict[str, str]]:
    """List the QR codes that clients show now, the newest last."""
    tokens = data_centre().logins.list_waiting_tokens()
    return [
        {"url": f"tg://login?token={urlsafe_b64encode(t).decode().rstrip('=')}"} for t in tokens
    ]


@blueprint.get("/connections")
async def get_connections() -> Json:
    count = data_centre().count_connections(read_argument("phone"))
    return {"open": count.open, "peak_per_key": count.peak_per_key, "logins": count.logins}


@blueprint.get("/faults")
async def get_faults() -> list[dict[str, str | None]]:
    centre = data_centre()
    return centre.faults.describe(centre.time())


@blueprint.post("/faults")
async def post_fault() -> Json:
    order = await read_json(Trouble)
    if order.phone is not None:
        data_centre().account_of(order.phone)
    if isinstance(order, MethodTrouble):
        data_centre().fail(order.error, phone=order.phone, method=order.method, times=order.times)
    elif order.kind is Kind.NEWER_ANSWER:
        data_centre().answer_newer(order.method, phone=order.phone, times=order.times)
    else:
        data_centre().afflict(order.kind, order.phone, order.seconds, dc_id=order.dc)
    return {}


@blueprint.delete("/faults")
async def delete_faults() -> Json:
    data_centre().clear_faults()
    return {}


@blueprint.post("/process")
async def post_process() -> Json:
    """Kill, freeze or thaw the processes connected as this account, except for this one and its parent."""
    order = await read_body(ProcessTrouble)
    account = data_centre().account_of(order.phone)
    ports = {
        port
        for connection in data_centre().connections
        if connection.key and connection.key.phone == account.phone
        for port in [connection.client_port]
        if port is not None
    }
    found = await to_thread(lambda: set(_processes_with(_sockets_at(ports))))
    others = found - {os.getpid(), os.getppid()}
    if not others:
        detail = f"no other process here is connected as {order.phone}"
        raise ControlError(409, "conflict", detail)
    for pid in others:
        os.kill(pid, SIGNALS[order.do])
    return {"processes": sorted(others)}


def _sockets_at(ports: set[int]) -> set[str]:
    """Return the sockets of this machine with these ports of their own, as `/proc` names them."""
    rows = (line.split() for line in (PROC / "net/tcp").read_text().splitlines()[1:])
    return {
        f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], base=16) in ports
    }


def _processes_with(sockets: set[str]) -> Iterator[int]:
    for process in PROC.iterdir():
        if process.name.isdigit() and not sockets.isdisjoint(_open_files(process)):
            yield int(process.name)


def _open_files(process: Path) -> Iterator[str]:
    try:
        for descriptor in (process / "fd").iterdir():
            yield str(descriptor.readlink())
    except OSError:
        return  # it has ended, or belongs to somebody else


def _token_of(url: str) -> bytes:
    token = url.partition("token=")[2]
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except Base64Error as exc:
        raise ControlError(400, "invalid_request", "the token is not base64") from exc
