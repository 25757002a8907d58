"""The calls that list the nodes, and drain one of them."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Literal

from quart import Blueprint, Response, request
from quart_schema import document_response, hide, tag

from api.context import OPERATOR, context
from api.nodes.fleet import HOURS, VIEWS
from api.nodes.forwarding import require_node
from api.requests.body import Answer, read_query, respond
from api.requests.errors import not_found
from api.requests.openapi import ADMIN, needs

blueprint = Blueprint("nodes", __name__, url_prefix="/nodes")


class NodeAnswer(Answer):
    """A node, and how many numbers it has to run."""

    node: str
    url: str
    state: Literal["alive", "draining", "fenced", "gone"]
    numbers: int
    memory: int
    since: datetime


class NodesAnswer(Answer):
    """The nodes that share the database, the oldest first."""

    nodes: list[NodeAnswer]


@blueprint.get("")
@tag(["nodes"])
@needs(ADMIN)
@document_response(NodesAnswer)
async def get_nodes() -> Response:
    """List the nodes that share the database, including those that have gone lately."""
    context().authenticator.require_operator(request)
    nodes = [NodeAnswer.model_validate(each) for each in await context().gateway.nodes()]
    return respond(NodesAnswer(nodes=nodes))


@blueprint.post("/<node>/drain")
@tag(["nodes"])
@needs(ADMIN)
@document_response(NodeAnswer)
async def post_drain(node: str) -> Response:
    """Move all numbers of a node to the others. The node may be stopped when it has none left."""
    context().authenticator.require_operator(request)
    gateway = context().gateway
    if gateway.node is None or not await gateway.node.nodes.order_drain(node):
        raise not_found("the node does not exist, or it has gone")
    gateway.node.announce()
    await gateway.audit.append(OPERATOR, "drained", None, node)
    for each in await gateway.nodes():
        if each.node == node:
            return respond(NodeAnswer.model_validate(each))
    raise not_found("the node does not exist, or it has gone")


@blueprint.get("/numbers")
@hide
async def get_numbers_kept() -> Response:
    """Show another node the numbers that run here."""
    require_node()
    are_bots = read_query(request).get("bots") == "1"
    views = await context().gateway.numbers_kept(are_bots=are_bots)
    return Response(VIEWS.dump_json(views), content_type="application/json")


@blueprint.get("/traffic")
@hide
async def get_hours_kept() -> Response:
    """Show another node what the numbers that run here delivered in the last hour."""
    require_node()
    hours = context().gateway.monitor.hours_now(time.time())
    return Response(HOURS.dump_json(hours), content_type="application/json")
