"""A run of the gateway that uses every secret there is, rightly and wrongly, and provokes every refusal."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
from base64 import b64encode, urlsafe_b64decode
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from supervisor.login.session_transfer import read_string_session
from tests.acceptance.api.operator import ADMIN_KEY, SECRET_KEY, Operator
from tests.acceptance.login.phone import PASSWORD, new_phone
from tests.acceptance.messages.conversation import CLIENT, PLANFIX_TOKEN, attached
from tests.acceptance.messages.programs import NUMBERS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.acceptance.login.phone import Phone
    from tests.acceptance.messages.conversation import Conversation
    from tests.acceptance.messages.programs import Programs

HEADERS_END = b"\r\n\r\n"


def word(meaning: str) -> str:
    """Make up a word that is nowhere by chance."""
    return f"{meaning}{secrets.token_hex(8)}"


class FullRun:
    """Does it all; remembers each secret by a name."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.operator = Operator(
            programs.http, programs.sandbox_url, programs.folder / "data" / "sessions"
        )
        self.secrets: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.code = ""
        self.know(admin_key=ADMIN_KEY, secret_key=SECRET_KEY, planfix_token=PLANFIX_TOKEN)
        self.know(api_hash="hash-of-the-acceptance-tests", password=PASSWORD)
        self.secrets["the key in SECRET_KEY"] = urlsafe_b64decode(SECRET_KEY)

    def know(self, **found: str) -> None:
        self.secrets |= {name.replace("_", " "): text.encode() for name, text in found.items()}

    async def log_in_by_code(self) -> Phone:
        phone = await self._new_phone("first")
        await phone.begin("code")
        wrong = word("wrong")
        await phone.enter(code=f"1{phone.code}"[:5])
        await phone.enter(code=phone.code)
        await phone.enter(password=wrong)
        await phone.enter(password=PASSWORD)
        await phone.until("online")
        self.code = phone.code
        self.know(wrong_password=wrong)
        return phone

    async def log_in_by_qr(self) -> None:
        phone = await self._new_phone("second")
        page, http = phone.login_url, self.programs.http
        await http.get(page.rstrip("/"))
        await http.post(page, data={"method": "qr"})
        for part in ("", "state", "qr.svg"):
            await http.get(page + part)
        url = (await phone.begin("qr"))["qr_url"]
        self.know(qr_token=url.partition("=")[2], qr_url=url)
        raw = urlsafe_b64decode(url.partition("=")[2] + "==")
        self.secrets["the QR token's bytes"] = raw
        await phone.scan(url)
        await phone.until("needs_password")
        await http.post(page, data={"password": PASSWORD})
        await phone.until("online")
        link = await phone.post("login/link", key=ADMIN_KEY)
        self.know(unused_login_link=link.json()["url"].split("/")[-2])

    async def talk(self, conversation: Conversation) -> None:
        """Write both ways, with files; let the same link be called rightly, wrongly."""
        body, answer, later = word("тіло"), word("відповідь"), word("edited")
        content, sent = word("content"), word("picture")
        file = (f"{word('name')}.pdf", "application/pdf", content.encode())
        (message, *_) = await conversation.contact_writes(body, files=[file])
        await eventually(conversation.in_planfix)
        await self.programs.control(
            "PATCH", "/telegram/messages", of=conversation.contact, id=message, text=later
        )
        mine = attached(f"{word('name')}.bin", sent.encode())
        told = await conversation.employee_tells(answer, files=[mine])
        await conversation.until_told(told, "sent")
        await conversation.contact_reads()
        (call, *_) = await conversation.calls("newMessage")
        link = call["attachments[url]"]
        token = link.split("/")[-2]
        for url in (link, link.replace(token, token[:-1]), f"{link}?token={conversation.token}"):
            await self.programs.http.get(url, headers={"Range": "bytes=-3"})
        self.know(body=body, answer=answer, edited=later, file_name=file[0])
        self.know(file_link=token, signature=token.rpartition(".")[2])
        self.know(token=conversation.token, sent_name=mine["name"])
        self.files |= {"a file from Telegram": content.encode(), "a file to it": sent.encode()}

    async def keep_private(self, conversation: Conversation) -> None:
        """Leave a chat out, and let both write in it all that people can write."""
        programs, said = self.programs, word("private")
        name, username = word("Name"), word("user")[:20]
        friend = await programs.add_person(first_name=name, username=username)
        chats = {"mode": "except", "people": [f"@{username}"]}
        change = {"number": conversation.number, "chats": chats}
        await programs.gateway("PUT", "/webhook?wait=60", conversation.token, json=change)
        known = {"private_word": said, "private_name": name, "private_user_name": username}
        self.know(**known, private_phone=friend["phone"])
        await self._write_privately(conversation, friend["phone"], said)
        path = f"/numbers/{conversation.number}/chats"
        preview = await programs.gateway("GET", path, conversation.token)
        assert name in preview.text
        assert name not in (await programs.gateway("GET", path)).text
        refused = await conversation.employee_writes("hello", telegram_user_name=username)
        assert refused["status"] == 400, refused
        history = {"number": conversation.number, "history_since": str(datetime.now(UTC).date())}
        await programs.gateway("PUT", "/webhook?wait=60", conversation.token, json=history)
        await conversation.contact_writes("the last one")
        await eventually(self._has(conversation, "the last one"))

    async def _write_privately(self, conversation: Conversation, friend: str, said: str) -> None:
        programs, number = self.programs, conversation.number
        file = {"name": f"{said}.txt", "mime": "text/plain"}
        file["base64"] = b64encode(said.encode()).decode()
        both = (friend, number), (number, friend)
        for count, (sender, recipient) in enumerate(both):
            people = {"from": sender, "to": recipient}
            written = await programs.control("POST", "/telegram/messages", **people, text=said)
            await programs.control("POST", "/telegram/messages", **people, files=[file, file])
            named = {"of": sender, "id": written["ids"][0]}
            await programs.control("PATCH", "/telegram/messages", **named, text=f"{said} {count}")
            await programs.control("POST", "/telegram/reactions", by=sender, id=1, emoji="👍")
            read = {"by": recipient, "chat_with": sender}
            await programs.control("POST", "/telegram/read", **read)
            await programs.control("DELETE", "/telegram/messages", **named)

    @staticmethod
    def _has(conversation: Conversation, text: str) -> Callable[[], Awaitable[bool]]:
        async def has() -> bool:
            return any(text in each for each in await conversation.texts_in_planfix())

        return has

    async def attach_what_fails(self, conversation: Conversation) -> None:
        """Attach links that cannot be fetched; somebody's key may be in each of them."""
        link, text = word("link"), word("text")
        broken, inside = f"http://{link}:{link}@[::1/{link}", f"https://10.0.0.1/{link}"
        form = {"cmd": "newMessage", "providerId": "telegram", "token": conversation.token}
        form |= {"chatId": conversation.chat_id, "message": text, "attachments[name]": "a.pdf"}
        for count, url in enumerate((broken, inside)):
            body = {**form, "messageId": f"9{count}", "attachments[url]": url}
            call = f"{self.programs.server.url}/webhook/message"
            answer = await self.programs.http.post(call, data=body)
            assert answer.status_code == 200, answer.text

        async def have_failed() -> bool:
            errors = [entry["error"] for entry in await conversation.journal(direction="out")]
            return sum(error is not None for error in errors) >= 2

        await eventually(have_failed, awaited="links that fail")
        self.know(attached_link=link, text_beside_it=text)

    async def guess(self, conversation: Conversation) -> None:
        """Show right keys in wrong places, wrong keys in right ones."""
        http, url = self.programs.http, self.programs.server.url
        guess = word("guess")
        own = f"/numbers/{conversation.number}"
        for key in (guess, conversation.token[:-1], ADMIN_KEY[:-1]):
            await self.programs.gateway("GET", own, key)
            await http.get(f"{url}{own}?token={key}&admin_key={ADMIN_KEY}")
            await http.post(f"{url}/webhook/message", data={"token": key, "message": guess})
        broken = f'{{"token_planfix": "{PLANFIX_TOKEN}", "token": "{conversation.token}"'
        for content in (broken, broken + "}", f"{broken}, \xff"):
            headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
            await http.post(f"{url}/webhook", content=content.encode("latin-1"), headers=headers)
        await http.get(f"{url}/login/{guess}/qr.svg")
        self.know(guess=guess)

    async def be_refused(self, phone: Phone) -> None:
        """Have a Planfix that repeats in its error what it was told, twice."""
        body = word("refused")
        self.know(refused_body=body, refused_token=(token := word("planfix")))
        async with _echoing() as url:
            change = {"number": phone.number, "url_planfix": url, "token_planfix": token}
            await self.operator.call(phone.server, "PUT", "/webhook", ADMIN_KEY, change)
            await phone.until("online")
            contact = await self.programs.add_person()
            await self.operator.write(contact["phone"], phone.number, body)
            await self._until_dead(phone)
            await phone.post("replay")
            await self._until_dead(phone)

    async def change_proxies(self, phone: Phone) -> None:
        """Go through proxies with a password, a secret, wrong ones of both, malformed ones."""
        username, password, wrong = word("user"), word("password"), word("wrong")
        opens = {"username": username, "password": password}
        addresses = await self.programs.control("PUT", "/proxy", **opens)
        secret = addresses["mtproxy"].partition("://")[2].partition("@")[0]
        self.know(proxy_user=username, proxy_password=password, wrong_proxy_password=wrong)
        self.know(proxy_secret=secret[2:], proxy_address=addresses["socks5"])
        self.secrets["the proxy's secret"] = bytes.fromhex(secret[2:])
        for proxy in (
            addresses["socks5"].replace(password, wrong),
            addresses["http"].replace(password, wrong),
            addresses["http"] + "/" + wrong,
            addresses["mtproxy"].replace(secret, secret[:-2]),
            *(addresses[kind] for kind in ("socks5", "http", "mtproxy")),
        ):
            change = {"number": phone.number, "proxy": proxy}
            await self.operator.call(phone.server, "PUT", "/webhook", ADMIN_KEY, change)
        await phone.until("online")
        change = {"number": phone.number, "proxy": None}
        await self.operator.call(phone.server, "PUT", "/webhook", ADMIN_KEY, change)
        await phone.until("online")

    async def run_bot(self) -> None:
        """Register a bot rightly and wrongly; have somebody show it a phone and write to it."""
        programs, said = self.programs, word("heard")
        account = {"bot": True, "username": f"{word('secrecy')[:20]}_bot"}
        made = await programs.control("POST", "/telegram/accounts", **account)
        token, rest, wrong = made["bot_token"], word("rest"), word("wrong")
        body = {"name": CLIENT, "token": token, "planfix_rest_token": rest}
        body["planfix_rest_url"] = "https://example.com/rest"
        malformed = {**body, "token": wrong}
        for refused in (malformed, {**body, "token": f"{made['user_id']}:{wrong}"}):
            answer = await programs.gateway("POST", "/bots", json=refused)
            assert answer.status_code == 400, answer.text
        answer = await programs.gateway("POST", "/bots?wait=60", json=body)
        assert answer.json()["state"] == "online", answer.text
        key, path = answer.json()["key"], f"/bots/{answer.json()['bot']}"
        person = await programs.add_person()
        chat = {"from": person["phone"], "to": made["username"]}
        for text in ("/start secrecy", said):
            await programs.control("POST", "/telegram/messages", **chat, text=text)

        async def is_known() -> bool:
            return bool((await programs.gateway("GET", f"{path}/people", key)).json()["people"])

        await eventually(is_known, awaited="somebody who registered")
        self.know(bot_token=token, bot_secret=token.partition(":")[2], bot_key=key)
        self.know(rest_token=rest, wrong_bot_token=wrong, heard_by_the_bot=said)
        await self._call_as_bot(token, person["user_id"])
        await programs.gateway("DELETE", path)
        with_token = {"name": CLIENT, "token": token, "language": "en"}
        await self._answer_by_webhook(with_token, chat)

    async def _call_as_bot(self, token: str, person: int) -> None:
        """Call the Bot API rightly and wrongly: its addresses contain the token."""
        http, base = self.programs.http, f"{self.programs.server.url}/bot{token}"
        for method, body in (
            ("getMe", {}),
            ("sendMessage", {"chat_id": person, "text": "hello"}),
            ("sendMessage", {"chat_id": "nobody", "text": "hello"}),
            ("sendPhoto", {"chat_id": person, "photo": f"http://[::1/bot{token}/"}),
            ("editMessageText", {"chat_id": person, "message_id": 10**6, "text": "x"}),
            ("nothing", {}),
        ):
            await http.post(f"{base}/{method}", json=body)
        await http.post(f"{base}/sendDocument", content=b"x", headers={"Content-Type": "a/b"})
        await http.post(f"{base[:-1]}/getMe")

    async def _answer_by_webhook(self, body: dict[str, Any], chat: dict[str, str]) -> None:
        """Answer to a notification; the webhook of Planfix's is not there, then it refuses."""
        code, said = word("code"), word("answer")
        made = await self._start_with_webhook(body, f"http://127.0.0.1:9/webhook/json/{code}")
        event = {"token": made["key"], "event": "due.soon", "task": "77", "title": "Roof"}
        event["telegramUserName"] = "alias:secrecy"
        told = await self.programs.http.post(
            f"{self.programs.server.url}/webhook/planfix-event?token={made['key']}", data=event
        )
        assert told.json()["accepted"] == 1, told.text
        [notice] = await self._said_by_bot(chat, "Roof")
        written = {**chat, "text": said, "reply_to": notice["id"]}
        await self.programs.control("POST", "/telegram/messages", **written)
        log = self.programs.server.log
        await eventually(lambda: "an answer to task 77 failed" in log.read_text())
        await self.programs.gateway("DELETE", f"/bots/{made['bot']}")
        async with _echoing() as url:
            again = await self._start_with_webhook(body, f"{url}/{code}")
            await self._said_by_bot(chat, "did not accept")
        self.know(webhook_code=code, answer_to_a_task=said)
        self.know(second_bot_key=made["key"], third_bot_key=again["key"])

    async def _start_with_webhook(self, body: dict[str, Any], address: str) -> Any:
        changed = {**body, "planfix_webhook_url": address}
        answer = await self.programs.gateway("POST", "/bots?wait=60", json=changed)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def _said_by_bot(self, chat: dict[str, str], text: str) -> list[dict[str, Any]]:
        query = f"/telegram/messages?of={chat['from']}&with={chat['to']}"

        async def said() -> list[dict[str, Any]]:
            told = await self.programs.control("GET", query)
            return [each for each in told if text in each["text"] and not each["out"]]

        found: list[dict[str, Any]] = await eventually(said, awaited=f"the bot: {text}")
        return found

    async def move(self, conversation: Conversation) -> None:
        """Export the login, bring it back as text."""
        path = f"/numbers/{conversation.number}/session/export"
        said = await self.programs.gateway("POST", path, json={"format": "string"})
        session = said.json()["string_session"]
        named = {"name": CLIENT, "number": conversation.number}
        await self.programs.gateway("DELETE", "/webhook", json=named)
        bad = await self.operator.start(
            self.programs.server, conversation.number, string_session=session[:-4]
        )
        assert bad.status_code == 400, bad.text
        again = await self.operator.start(
            self.programs.server, conversation.number, string_session=session
        )
        assert again.json()["state"] == "online", again.text
        self.know(session=session, newer_token=again.json()["token"])
        self.secrets["auth key"] = read_string_session(session).auth_key

    async def crash(self, phone: Phone) -> None:
        """End a worker in the middle of its work, with all it has to say about that."""
        await phone.until("online")
        worker = (await phone.show())["worker"]["pid"]
        os.kill(worker, signal.SIGABRT)

        async def has_restarted() -> bool:
            shown = await phone.show()
            return bool(shown["restarts"] and shown["state"] == "online")

        await eventually(has_restarted, awaited="another worker")

    async def _new_phone(self, name: str) -> Phone:
        number = str(next(NUMBERS))
        phone = await new_phone(self.operator, self.programs.server, number, password=PASSWORD)
        self.secrets[f"{name} token"] = phone.token.encode()
        self.secrets[f"{name} login link"] = phone.login_url.split("/")[-2].encode()
        return phone

    async def _until_dead(self, phone: Phone) -> None:
        path = f"/numbers/{phone.number}/messages?state=dead"

        async def is_dead() -> bool:
            return bool((await self.programs.gateway("GET", path)).json()["messages"])

        await eventually(is_dead, awaited="a dead letter")


@asynccontextmanager
async def _echoing() -> AsyncIterator[str]:
    """Run a server that refuses every call with the call itself as its reason."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(HEADERS_END)
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        writer.write(b"HTTP/1.1 400 No\r\nConnection: close\r\nContent-Length: %d" % len(body))
        writer.write(HEADERS_END + body)
        await writer.drain()
        writer.close()

    server: Any = await asyncio.start_server(answer, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webchat/api"
