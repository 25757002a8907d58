"""One number of ours, a contact on Telegram, an employee in Planfix: who writes, who sees what."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fakes.crashing import PLAN, Plan
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.acceptance.messages.world import World

CLIENT = "Romashka"
PLANFIX_TOKEN = "planfix-token-of-romashka"
Json = dict[str, Any]


class Conversation:
    """Lets all three write, shows what each of them sees."""

    def __init__(
        self, world: World, number: str, contact: str, contact_id: int, token: str
    ) -> None:
        self.world = world
        self.number = number
        self.contact = contact
        self.contact_id = contact_id
        self.token = token
        self.account = f"client{number}"
        self.chat_id = f"{number}_{contact_id}"

    async def contact_writes(self, text: str = "", **more: Any) -> list[int]:
        return await self._write(self.contact, self.number, text, **more)

    async def owner_writes(self, text: str = "", **more: Any) -> list[int]:
        """Write as the number's owner, who holds another device."""
        return await self._write(self.number, self.contact, text, **more)

    async def deletes(self, message_id: int) -> None:
        """Delete a message as the number's owner, for both."""
        gone = {"of": self.number, "id": message_id}
        await self.world.control("DELETE", "/telegram/messages", **gone)

    async def restart(self) -> None:
        await self.world.gateway("POST", f"/numbers/{self.number}/restart", self.token)
        await self.until_online()

    async def contact_reads(self) -> None:
        who = {"by": self.contact, "chat_with": self.number}
        await self.world.control("POST", "/telegram/read", **who)

    async def employee_writes(self, text: str = "", **reply: Any) -> Json:
        """Write in Planfix, to the known chat unless somebody else is named."""
        if not reply.keys() & {"contact_phone", "telegram_user_name", "telegram_user_id"}:
            reply = {"chat_id": self.chat_id, **reply}
        return await self._reply(text=text, **reply)

    async def planfix_repeats(self, message_id: str) -> Json:
        """Make the same call again, word for word."""
        return await self._reply(message_id=message_id)

    async def employee_tells(self, text: str = "", **reply: Any) -> str:
        """Write in Planfix what the gateway must take; return the message's id."""
        answer = await self.employee_writes(text, **reply)
        said = {"chatId": self.chat_id, "contactId": str(self.contact_id)}
        assert (answer["status"], answer["body"]) == (200, said), answer
        return str(answer["message_id"])

    async def in_planfix(self) -> list[Json]:
        found: list[Json] = await self.world.look(f"/planfix/{self.account}/messages")
        return found

    async def texts_in_planfix(self) -> list[str]:
        return [message["text"] for message in await self.in_planfix()]

    async def in_telegram(self) -> list[Json]:
        """Show what the contact has got from the number."""
        path = "/telegram/messages"
        chat = await self.world.look(path, **{"of": self.contact, "with": self.number})
        return [message for message in chat if not message["out"]]

    async def own_messages(self) -> list[Json]:
        """Show what the number has written, as its owner sees it."""
        path = "/telegram/messages"
        chat = await self.world.look(path, **{"of": self.number, "with": self.contact})
        return [message for message in chat if message["out"]]

    async def texts_in_telegram(self) -> list[str]:
        return [message["text"] for message in await self.in_telegram()]

    async def statuses(self) -> dict[str, list[str]]:
        """Show what Planfix has been told, by message."""
        told: dict[str, list[str]] = {}
        for status in await self.world.look(f"/planfix/{self.account}/statuses"):
            told.setdefault(status["message_id"], []).append(status["status"])
        return told

    async def calls(self, cmd: str) -> list[Json]:
        """Show the calls of a kind that Planfix got, each field once."""
        calls = await self.world.look(f"/planfix/{self.account}/calls")
        shown = [{name: values[-1] for name, values in call["fields"].items()} for call in calls]
        return [fields for fields in shown if fields["cmd"] == cmd]

    async def journal(self, **query: Any) -> list[Json]:
        path = f"/numbers/{self.number}/messages"
        response = await self.world.gateway("GET", path, self.token, params=query)
        found: list[Json] = response.raise_for_status().json()["messages"]
        return found

    async def receipts(self) -> list[Json]:
        path = f"/numbers/{self.number}/receipts"
        response = await self.world.gateway("GET", path, self.token)
        found: list[Json] = response.raise_for_status().json()["receipts"]
        return found

    async def replay(self, row: int | None = None) -> int:
        """Send a dead letter again, or all of them; return how many."""
        what = "replay" if row is None else f"messages/{row}/replay"
        path = f"/numbers/{self.number}/{what}"
        response = await self.world.gateway("POST", path, self.token)
        return int(response.raise_for_status().json()["replayed"])

    async def planfix_fails(self, mode: str, **fault: Any) -> None:
        path = f"/planfix/{self.account}/faults"
        await self.world.control("POST", path, mode=mode, **fault)

    async def planfix_recovers(self) -> None:
        await self.world.control("DELETE", f"/planfix/{self.account}/faults")

    async def telegram_fails(self, **fault: Any) -> None:
        await self.world.control("POST", "/telegram/faults", phone=self.number, **fault)

    async def shown(self) -> Json:
        response = await self.world.gateway("GET", f"/numbers/{self.number}")
        found: Json = response.raise_for_status().json()
        return found

    async def until_online(self) -> None:
        await eventually(self._is_online, awaited=f"{self.number} online")

    async def until_in_planfix(self, *texts: str, deadline: float = PATIENCE) -> None:
        await self._until(self.texts_in_planfix, texts, deadline)

    async def until_in_telegram(self, *texts: str, deadline: float = PATIENCE) -> None:
        await self._until(self.texts_in_telegram, texts, deadline)

    async def until_told(self, message_id: str, *statuses: str, deadline: float = PATIENCE) -> None:
        async def told() -> list[str]:
            return (await self.statuses()).get(message_id, [])

        await self._until(told, statuses, deadline)

    async def until_settled(self, deadline: float = PATIENCE) -> None:
        """Wait until nothing is under way any more."""
        await eventually(self._is_settled, deadline, awaited="an empty journal")

    def plan_crash(self, when: str, kind: str, **plan: Any) -> None:
        """Let the worker be killed, or halt to be killed, at a point of a message's way."""
        made = Plan.model_validate({"when": when, "kind": kind, **plan})
        path = self.world.folder / "data" / "spool" / self.number / PLAN
        new = path.with_suffix(".new")
        new.write_text(made.model_dump_json())
        new.replace(path)

    @property
    def has_crashed(self) -> bool:
        return not Path(self.world.folder / "data" / "spool" / self.number / PLAN).exists()

    async def _write(self, sender: str, recipient: str, text: str, **more: Any) -> list[int]:
        people = {"from": sender, "to": recipient}
        place = {"dc": more.pop("dc")} if "dc" in more else {}
        files = {"files": [_on_phone(file) | place for file in more.pop("files", ())]}
        body = {**people, "text": text, **(files if files["files"] else {}), **more}
        ids: list[int] = (await self.world.control("POST", "/telegram/messages", **body))["ids"]
        return ids

    async def _reply(self, **reply: Any) -> Json:
        path = f"/planfix/{self.account}/reply"
        answer: Json = await self.world.control("POST", path, **reply)
        return answer

    async def _until(
        self, look: Callable[[], Awaitable[list[str]]], wanted: Sequence[str], deadline: float
    ) -> None:
        async def have_come() -> bool:
            return len(await look()) >= len(wanted)

        try:
            await eventually(have_come, deadline)
        except AssertionError as exc:
            raise AssertionError(f"{await look()} instead of {list(wanted)}") from exc
        found = await look()
        assert found == list(wanted), found

    async def _is_online(self) -> bool:
        return bool((await self.shown())["state"] == "online")

    async def _is_settled(self) -> bool:
        return bool((await self.shown())["backlog"] == {"in": 0, "out": 0})


def _on_phone(file: tuple[str, str, bytes]) -> Json:
    name, mime, content = file
    return {"name": name, "mime": mime, "base64": b64encode(content).decode()}


def attached(name: str, content: bytes) -> Json:
    """Make a file of an employee's."""
    return {"name": name, "base64": b64encode(content).decode()}
