"""All numbers as Telethon clients in one event loop: `python -m benchmarks.alternatives.one_loop`.

It reads where everything is from its standard input, then does the least that a gateway does with a
message: it calls Planfix. It keeps nothing and repeats nothing.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from functools import partial
from typing import Any

import httpx
import uvloop
from telethon import TelegramClient, events
from telethon.crypto import rsa
from telethon.sessions import StringSession

HANG = 1.0  # seconds that a handler of one number blocks the loop when SIGUSR1 asks for it
CONNECTING = 20  # clients at a time


async def serve(place: dict[str, Any]) -> None:
    rsa.add_key(place["public_key"], old=False)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, time.sleep, HANG)
    turns = asyncio.Semaphore(CONNECTING)
    async with httpx.AsyncClient(trust_env=False) as http:
        clients = await asyncio.gather(
            *(_connect(turns, http, draft) for draft in place["drafts"].values())
        )
        print("ONLINE", flush=True)
        await asyncio.gather(*(client.disconnected for client in clients))


async def _connect(turns: asyncio.Semaphore, http: httpx.AsyncClient, draft: dict[str, str]) -> Any:
    client = TelegramClient(StringSession(draft["string_session"]), 1, "hash", receive_updates=True)
    client.add_event_handler(partial(_forward, http, draft), events.NewMessage(incoming=True))
    async with turns:
        await client.connect()
        await client.get_me()
    return client


async def _forward(http: httpx.AsyncClient, draft: dict[str, str], event: Any) -> None:
    sender = await event.get_sender()
    await http.post(
        draft["url_planfix"],
        data={
            "cmd": "newMessage",
            "providerId": "telegram",
            "planfix_token": draft["token_planfix"],
            "channel": draft["number"],
            "chatId": f"{draft['number']}_{event.chat_id}",
            "contactId": str(event.chat_id),
            "contactName": sender.first_name,
            "message": event.message.message,
        },
    )


if __name__ == "__main__":
    uvloop.run(serve(json.loads(sys.stdin.read())))
