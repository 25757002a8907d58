"""Stores alarms, and delivers them with growing pauses between tries, while nothing else waits for them."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from session_worker.backoff import Backoff
from supervisor.background_loop import BackgroundLoop
from supervisor.errors import DatabaseUnavailable, GatewayError
from supervisor.monitoring.alarm_client import AlarmRefused, AlarmSpeaker, AlertUrl, shown_secret
from supervisor.monitoring.alarm_rules import LASTING, Alarm, AlarmRules, Kind
from supervisor.store.history import moment
from supervisor.texts import describe_cause, operator_text
from supervisor.texts.bot_texts import about_bot, for_bot
from supervisor.texts.state import MESSAGES_DEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from supervisor.config import Config
    from supervisor.monitoring.alarm_client import AlarmWay
    from supervisor.nodes.node import Node
    from supervisor.numbers.state import Change
    from supervisor.store.history import StoredAlarm
    from supervisor.store.store import Store
    from supervisor.store.values import Bot


PAUSE = 1.0  # seconds between two looks at what has changed
BACKLOG_EVERY = 15  # pauses between two looks at what waits
AT_ONCE = 20  # alarms that one round delivers
CLAIM = 60.0  # seconds for which no other node sends an alarm; longer than a delivery takes
GIVEN_UP = 3 * 24 * 3600.0  # seconds after which an alarm that nobody takes is given up
BACKOFF = Backoff(first=2.0, longest=3600.0)
MOST_UNWRITTEN = 100  # alarms for a bot that has never started yet
MOST_UNSTORED = 10_000  # alarms that are kept while the database is away
# A chat is for people: they are not told of every change.
FOR_CHAT = frozenset(
    {Kind.NEEDS_SOMEBODY, Kind.WELL_AGAIN, Kind.DEAD, Kind.BACKLOG_OLD, Kind.FLEET}
)

logger = logging.getLogger(__name__)


class AlarmChat(Protocol):
    """A chat to which alarms are sent as well."""

    async def write(self, key: str, text: str) -> None:
        """Store a message for the chat, once for each key."""


class ChatAlarm(NamedTuple):
    """An alarm as people read it."""

    key: str
    text: str


class Alarms:
    """Decides, stores and delivers alarms; without a receiver it decides and stores nothing."""

    def __init__(self, store: Store, config: Config, node: Node | None = None) -> None:
        self._node = node
        self._speaker = AlarmSpeaker(node, store.alarms)
        self._store = store
        self._config = config
        self._rules = AlarmRules()
        self._rounds = 0
        self._clients: dict[str, str] = {}
        self._deciding = BackgroundLoop("alarms", self._decide, PAUSE)
        self._delivering = BackgroundLoop("delivery of alarms", self._deliver, PAUSE)
        self.url = config.alert_url
        self._is_wanted = bool(config.alert_url or config.alert_chat)
        self._decided: deque[Alarm] = deque(maxlen=MOST_UNSTORED)
        self._unwritten: deque[Alarm] = deque(maxlen=MOST_UNSTORED)
        self._unstored: deque[tuple[Alarm, Mapping[str, Any]]] = deque(maxlen=MOST_UNSTORED)
        self._sent: set[str] = set()
        """Those of the unstored alarms that were sent all the same."""
        self._bots: Mapping[str, Bot] = {}
        self._for_chat: deque[ChatAlarm] = deque(maxlen=MOST_UNWRITTEN)
        self.chat: AlarmChat | None = None
        self.secret = shown_secret(store.alarm_keys[0])
        self.way: AlarmWay | None = None

    def start(self) -> None:
        if self._is_wanted:
            self._deciding.start()
        if self.url:
            self.way = AlertUrl(self.url, self._store.alarm_keys)
            self._delivering.start()

    async def stop(self) -> None:
        await self._deciding.stop()
        await self._delivering.stop()
        if self.way is not None:
            await self.way.close()

    def add_change(self, change: Change) -> None:
        if self._is_wanted:
            self._clients[change.number] = change.client
            self._rules.add_change(change)

    def add_dead(self, number: str, codes: tuple[str, ...]) -> None:
        if self._is_wanted and codes:
            self._rules.add_dead(number, self._clients.get(number, ""), codes)

    async def list_newest(self, limit: int) -> tuple[StoredAlarm, ...]:
        return await self._store.alarms.list(limit)

    async def _decide(self) -> float:
        now = time.time()
        try:
            self._decided.extend(self._rules.decide(now))
            since = await self._store.alarms.failing_since()
            self._decided.extend(self._rules.decide_database(now, since))
            self._rounds += 1
            if self._rounds % BACKLOG_EVERY == 0:
                self._decided.extend(await self._look_at_backlog(now))
            await self._store_decided(now)
            await self._write_to_chat()
        except DatabaseUnavailable:  # which is logged once for everybody who needs it
            logger.debug("alarms could not be stored")
            await self._send_unstored(now)
        return PAUSE

    async def _store_decided(self, now: float) -> None:
        """Store what this node has to send; what cannot be stored is kept for the next round."""
        self._unwritten.extend(await self._speaker.select(tuple(self._decided), now))
        self._decided.clear()
        if not self._unwritten and not self._unstored:
            return
        self._bots = await self._store.bots.list()
        stored = self._make_rows()
        if self.url:
            rows = [row for _, row in stored if row["id"] not in self._sent]
            await self._store.alarms.append(rows)
        self._unstored.clear()
        self._sent.clear()
        if self._config.alert_chat:
            self._for_chat.extend(self._for_people(stored, self._bots))

    async def _send_unstored(self, now: float) -> None:
        """Send the alarms that could not be stored for a while, without storing them, because people wait for them."""
        if self.way is None or (self._node is not None and not self._node.is_first):
            return
        for alarm, row in self._make_rows():
            if now - alarm.at >= LASTING and row["id"] not in self._sent:
                try:
                    await self.way.send(row["id"], row["body"], now)
                except AlarmRefused as exc:
                    logger.debug("an alarm was not taken: %s", exc)
                    return
                self._sent.add(row["id"])

    def _make_rows(self) -> tuple[tuple[Alarm, Mapping[str, Any]], ...]:
        self._unstored.extend((each, self._row_of(each, self._bots)) for each in self._unwritten)
        self._unwritten.clear()
        return tuple(self._unstored)

    def _for_people(
        self, stored: Sequence[tuple[Alarm, Mapping[str, Any]]], bots: Mapping[str, Bot]
    ) -> Iterator[ChatAlarm]:
        for alarm, row in stored:
            if alarm.kind in FOR_CHAT:
                names = ", ".join(_shown(number, bots.get(number)) for number in alarm.numbers)
                lines = (names, alarm.client, *self._texts(alarm, bots))
                yield ChatAlarm(row["id"], "\n".join(line for line in lines if line))

    async def _write_to_chat(self) -> None:
        while self._for_chat and self.chat is not None:
            try:
                await self.chat.write(*self._for_chat[0])
            except GatewayError as exc:
                logger.debug("an alarm cannot be stored for its chat yet: %s", exc)
                return
            self._for_chat.popleft()

    async def _look_at_backlog(self, now: float) -> Sequence[Alarm]:
        counts = await self._store.journals.counts()
        if self._node is not None:  # other nodes may run numbers of which nothing was heard here
            running = await self._store.numbers.list_to_run()
            self._clients |= {each.number: each.client for each in running}
        oldest = {
            number: of.oldest_waiting.timestamp()
            for number, of in counts.items()
            if of.oldest_waiting is not None and number in self._clients
        }
        return self._rules.decide_backlog(now, oldest, self._clients)

    async def _deliver(self) -> float:
        try:
            for alarm in await self._store.alarms.due(time.time(), AT_ONCE):
                if not await self._deliver_one(alarm):
                    return BACKOFF.first
        except DatabaseUnavailable:
            logger.debug("alarms could not be read")
        return PAUSE

    async def _deliver_one(self, alarm: StoredAlarm) -> bool:
        """Return whether the receiver answers, so that it is worth sending the next one."""
        if self.way is None:
            return False
        now = time.time()
        if not await self._store.alarms.claim(alarm, now, now + CLAIM):
            return True
        try:
            await self.way.send(alarm.id, alarm.body, now)
        except AlarmRefused as exc:
            is_over = exc.is_final or now - alarm.at.timestamp() > GIVEN_UP
            attempts = alarm.attempts + 1
            if attempts == 1:
                logger.warning("an alarm was not taken, it is sent again: %s", exc)
            pause = None if is_over else BACKOFF.pause(attempts)
            await self._store.alarms.record_failure(alarm.id, str(exc), pause and now + pause)
            return False
        await self._store.alarms.record_delivery(alarm.id)
        return True

    def _row_of(self, alarm: Alarm, bots: Mapping[str, Bot]) -> Mapping[str, Any]:
        """Make the row of an alarm, whose body is sent as it is, byte for byte."""
        alarm_id = f"msg_{secrets.token_hex(12)}"
        at = moment(alarm.at)
        detail, action = self._texts(alarm, bots)
        body = {
            "id": alarm_id,
            "type": alarm.kind,
            "at": at.isoformat(),
            "numbers": alarm.numbers,
            "client": alarm.client,
            "state": alarm.state,
            "cause": alarm.cause,
            "detail": detail,
            "action": action,
        }
        return {"id": alarm_id, "at": at, "body": json.dumps(body, ensure_ascii=False)}

    def _texts(self, alarm: Alarm, bots: Mapping[str, Bot]) -> tuple[str, str]:
        language = self._config.language
        is_of_bots = bool(alarm.numbers) and bots.keys() >= set(alarm.numbers)
        if alarm.kind is Kind.DEAD:
            count = MESSAGES_DEAD[language].format(count=alarm.messages)
            text = operator_text(alarm.cause or "", language)
            return count, for_bot(text) if is_of_bots else text
        code = "online" if alarm.kind is Kind.WELL_AGAIN else alarm.cause or alarm.state or ""
        told = describe_cause(code, language)
        if is_of_bots:
            told = about_bot(told, language)
        return told.message, told.action


def _shown(number: str, bot: Bot | None) -> str:
    if bot is None:
        return f"+{number}"
    return f"@{bot.username}" if bot.username else number
