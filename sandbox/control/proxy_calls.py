"""The calls below `/proxy`: starting and disturbing the proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field
from quart import Blueprint, current_app, request

from sandbox.control.request_body import read_body
from sandbox.order import Order
from sandbox.proxy.server import Mode

if TYPE_CHECKING:
    from sandbox.proxy.proxies import Proxies

Credential = Annotated[str, Field(min_length=1, max_length=255)]

blueprint = Blueprint("proxy", __name__, url_prefix="/proxy")


class Start(Order):
    """The password that the proxies require of their clients."""

    username: Credential | None = None
    password: Credential | None = None
    padded: bool = True


class Trouble(Order):
    """How the proxies misbehave."""

    mode: Mode


def proxies() -> Proxies:
    return cast("Proxies", current_app.extensions["proxies"])


@blueprint.put("")
async def put_proxy() -> dict[str, str]:
    order = await read_body(Start) if await request.get_data() else Start()
    return await proxies().start(order.username, order.password, padded=order.padded)


@blueprint.delete("")
async def delete_proxy() -> dict[str, Any]:
    await proxies().stop()
    return {}


@blueprint.get("/connections")
async def get_connections() -> dict[str, Any]:
    found = proxies().connections()
    return {
        "open": sum(bool(each["open"]) for each in found),
        "total": len(found),
        "connections": found,
    }


@blueprint.post("/faults")
async def post_fault() -> dict[str, Any]:
    order = await read_body(Trouble)
    proxies().afflict(order.mode)
    if order.mode is Mode.CUT:
        proxies().cut()
    return {}


@blueprint.delete("/faults")
async def delete_faults() -> dict[str, Any]:
    proxies().afflict(None)
    return {}
