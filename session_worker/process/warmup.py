"""Runs a worker's first moments once in the forkserver, so that all workers share the memory this touches."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager, suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from session_worker.process.lease import Lease, now
from session_worker.process.worker import MemoryGauge, Worker, make_session
from session_worker.protocol.contract import (
    COMMANDS,
    EVENTS,
    Application,
    Assignment,
    Beat,
    PlanfixAccount,
    StoredSession,
    UpdateState,
)
from session_worker.protocol.messages import (
    ChatMemory,
    Deliver,
    Delivered,
    PlanfixStatus,
    Received,
    StatusTold,
    Stored,
    TellStatus,
)
from session_worker.protocol.pipe import Pipe
from session_worker.telegram.warmup_server import PHONE, PLACE, USER_ID, WarmupServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from session_worker.protocol.contract import Command, Event

    Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    Supervise = Callable[[Pipe[Event, Command]], Awaitable[None]]

HOST = "127.0.0.1"
FOREVER = 1e9  # seconds
KEY = bytes(range(256))
OK_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

logger = logging.getLogger(__name__)


def warm_up(rounds: int, end: float) -> None:
    """Run the warm-up; if it fails, workers run all the same but use more memory."""
    try:
        for _ in range(rounds):
            asyncio.run(_run_round(end))
    except Exception:  # the root of the warm-up
        logger.exception("the warm-up failed")


async def _run_round(end: float) -> None:
    with TemporaryDirectory() as spool:
        async with asyncio.timeout_at(end):
            await run_scenario(spool)


async def run_scenario(spool: str) -> None:
    """Let a worker connect, receive one message, deliver it to Planfix and stop."""
    async with (
        serving(WarmupServer(KEY).serve) as telegram,
        serving(_serve_planfix) as planfix,
    ):
        await run_worker(assignment_to(telegram, planfix, spool), _answer_events)


async def run_worker(assignment: Assignment, supervise: Supervise) -> None:
    """Run a worker in this process until `supervise` returns, which has its other end."""
    ours, theirs = socket.socketpair()
    supervisor: Pipe[Event, Command] = await Pipe.open(ours, EVENTS)
    pipe: Pipe[Command, Event] = await Pipe.open(theirs, COMMANDS)
    lease = Lease(assignment.deadline)
    gauge = MemoryGauge()
    session = make_session(assignment, pipe, lease)
    worker = asyncio.create_task(Worker(session, pipe, pipe, lease, gauge).run())
    try:
        supervisor.put(Beat(beat_id=1, deadline=assignment.deadline + 1.0))
        await supervise(supervisor)
        supervisor.finish()
        await worker
    finally:
        worker.cancel()
        gauge.close()
        pipe.close()
        supervisor.close()


async def _answer_events(supervisor: Pipe[Event, Command]) -> None:
    """Answer the worker's events until Planfix has been told everything."""
    while event := await supervisor.receive():
        match event:
            case Received(positions=positions, incoming=incoming):
                supervisor.put(Stored(positions=positions))
                chat = ChatMemory(peer_id=incoming.peer_id)
                supervisor.put(Deliver(row=1, incoming=incoming, chat=chat))
            case Delivered():
                supervisor.put(TellStatus(row=1, planfix_id="1", status=PlanfixStatus.SENT))
            case StatusTold():
                return
            case _:
                pass


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _serve_planfix(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a Planfix that accepts everything."""
    with suppress(asyncio.IncompleteReadError):
        while True:
            header = await reader.readuntil(b"\r\n\r\n")
            size = header.lower().split(b"content-length:")[1].split()[0]
            await reader.readexactly(int(size))
            writer.write(OK_ANSWER)
    writer.close()


def assignment_to(telegram: int, planfix: int, spool: str) -> Assignment:
    session = StoredSession(
        dc_id=2,
        server_address=HOST,
        port=telegram,
        auth_key=KEY,
        user_id=USER_ID,
        update_state=UpdateState(**PLACE, date=1),
    )
    url = f"http://{HOST}:{planfix}/"
    return Assignment(
        number=PHONE,
        epoch=0,
        deadline=now() + FOREVER,
        application=Application(api_id=1, api_hash="warm-up"),
        session=session,
        planfix=PlanfixAccount(
            url=url,
            token="warm-up",  # noqa: S106 - opens nothing
            provider_id="telegram",
            may_be_private=True,
        ),
        spool=spool,
        log_level="ERROR",
    )
