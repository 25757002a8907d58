"""What is kept of a run in which something was wrong: the logs of the nodes, and what waits in the database."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from tests.support.databases import execute

if TYPE_CHECKING:
    from benchmarks.chaos_traffic import Traffic
    from tests.acceptance.nodes.cluster import Cluster

STATEMENTS = {
    "messages that wait": (
        "SELECT id, number, direction, peer_id, key, attempts, is_trying, next_try, tried, created,"
        " error_code, error_detail FROM journal WHERE state = 'pending' ORDER BY number, id"
    ),
    "owners of the numbers": (
        "SELECT p.number, p.incarnation, p.epoch, n.epoch, n.wanted FROM placement p"
        " LEFT JOIN number n ON n.digits = p.number ORDER BY p.number"
    ),
    "nodes": "SELECT incarnation, url, state, beat, since FROM node ORDER BY since",
}


async def keep_evidence(cluster: Cluster, traffic: Traffic, label: str) -> Path:
    """Copy it into a new folder before the cluster ends; return the folder."""
    folder = Path(mkdtemp(prefix=f"chaos-{label}-"))
    for node in cluster.nodes:
        shutil.copy(node.server.log, folder / f"{node.name}.log")
    lines = [f"written at {time.time():.1f}, by the clock that is right"]
    lines += [
        f"{node.name} {node.url} {node.settings.get('WRONG_CLOCK', 0)}" for node in cluster.nodes
    ]
    lines += ["", "missing", *await traffic.missing()]
    for title, statement in STATEMENTS.items():
        try:
            rows = [str(tuple(row)) for row in await execute(cluster.database_url, statement)]
        except SQLAlchemyError as exc:  # the rest is worth keeping all the same
            rows = [str(exc)]
        lines += ["", title, *rows]
    (folder / "state.txt").write_text("\n".join(lines))
    return folder
