"""The numbers of all nodes and their traffic, as any node shows them."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from api.context import context
from api.nodes.forwarding import NotAnswered, find_forwarding
from supervisor.monitoring.last_hour import Minute
from supervisor.numbers.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from supervisor.numbers.state import State

VIEWS = TypeAdapter(tuple[View, ...])
HOURS = TypeAdapter(dict[str, tuple[Minute, ...]])

logger = logging.getLogger(__name__)


async def views_of_all_nodes(
    client: str | None = None, state: State | None = None, *, are_bots: bool = False
) -> tuple[View, ...]:
    """Return all numbers, or those of a client or in a state, as the nodes that run them show them."""
    gateway = context().gateway
    views = {view.number: view for view in await gateway.numbers(client, are_bots=are_bots)}
    if gateway.node is not None:
        peers = await gateway.node.find_peers()
        for foreign in await asyncio.gather(*(_views_of(url, are_bots=are_bots) for url in peers)):
            views |= {view.number: view for view in foreign if view.number in views}
    return tuple(view for view in views.values() if state in {None, view.state})


async def hours_of_all_nodes() -> dict[str, tuple[Minute, ...]]:
    """Return the minutes of the last hour in which each number delivered something, on any node."""
    gateway = context().gateway
    hours = gateway.monitor.hours_now(time.time())
    if gateway.node is not None:
        peers = await gateway.node.find_peers()
        for foreign in await asyncio.gather(*map(_hours_of, peers)):
            for number, minutes in foreign.items():
                hours[number] = hours.get(number, ()) + minutes  # it may have moved within the hour
    return hours


async def _hours_of(url: str) -> Mapping[str, tuple[Minute, ...]]:
    try:
        return HOURS.validate_json(await find_forwarding().fetch(url, "/nodes/traffic"))
    except (NotAnswered, ValueError) as exc:
        logger.warning("node %s does not say what its numbers delivered: %s", url, exc)
        return {}


async def _views_of(url: str, *, are_bots: bool) -> Iterable[View]:
    """Return the numbers that a node runs: none if it does not answer, and will soon be taken over."""
    try:
        answer = await find_forwarding().fetch(url, "/nodes/numbers", bots=str(int(are_bots)))
        return VIEWS.validate_json(answer)
    except (NotAnswered, ValueError) as exc:
        logger.warning("node %s does not say how its numbers are: %s", url, exc)
        return ()
