"""Compares the messages that were written during a soak with those that arrived."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from benchmarks.programs.connected_number import ConnectedNumber
    from benchmarks.programs.gateway import GatewayProgram
    from sandbox.telegram.records.mailbox import Message

PAGE = 500  # rows of the journal in one answer
LOG_LINES = 400  # of the newest lines that name the number, enough for a run of ten minutes
SHOWN = 5  # wrong messages of each chat; the others are only counted


@dataclass(slots=True)
class Outcome:
    """The counts of a soak."""

    messages: int
    worker_kills: int = 0
    gateway_kills: int = 0
    seconds: float = 0.0
    lost: int = 0
    refused: int = 0
    twice_in_telegram: int = 0
    twice_in_planfix: int = 0
    out_of_order: int = 0
    without_status: int = 0
    growing: int = 0

    @property
    def is_good(self) -> bool:
        """Whether all is well; Planfix may get a message twice if the answer to its first call was lost."""
        bad = (self.lost, self.refused, self.twice_in_telegram, self.out_of_order)
        return not any(bad) and not self.without_status and not self.growing


@dataclass(frozen=True, slots=True)
class Direction:
    """The messages of one chat in one direction."""

    written: Sequence[str]
    found: Sequence[str]
    refused: frozenset[str] = frozenset()

    @property
    def lost(self) -> list[str]:
        there = {*self.found, *self.refused}
        return [each for each in self.written if each not in there]

    @property
    def twice(self) -> list[str]:
        return [text for text, count in Counter(self.found).items() for _ in range(count - 1)]

    @property
    def out_of_order(self) -> list[str]:
        """Return the messages whose first arrival came after that of a message written later."""
        once = list(dict.fromkeys(self.found))
        places = [self.written.index(text) for text in once]
        pairs = pairwise(zip(places, once, strict=True))
        return [text for (before, _), (place, text) in pairs if place < before]


@dataclass(slots=True)
class Chat:
    """One number and the messages in its chat, in order for each direction."""

    line: ConnectedNumber
    into_planfix: list[str] = field(default_factory=lambda: ["hello"])
    into_telegram: list[str] = field(default_factory=list)

    @property
    def to_planfix(self) -> Direction:
        return Direction(self.into_planfix, self.line.texts_of_planfix())

    @property
    def to_telegram(self) -> Direction:
        statuses = self.line.planfix.journal.statuses
        refused = frozenset(each.message_id for each in statuses if each.status == "error")
        return Direction(self.into_telegram, self.line.texts_of_contact(), refused)

    @property
    def without_status(self) -> list[str]:
        told = {status.message_id for status in self.line.planfix.journal.statuses}
        return [text for text in self.into_telegram if text not in told]

    @property
    def missing(self) -> int:
        """Return how many messages and statuses have not arrived yet."""
        lost = len(self.to_planfix.lost) + len(self.to_telegram.lost)
        return lost + len(self.without_status)

    def judge(self, outcome: Outcome) -> None:
        to_planfix, to_telegram = self.to_planfix, self.to_telegram
        outcome.twice_in_planfix += len(to_planfix.twice)
        outcome.twice_in_telegram += len(to_telegram.twice)
        outcome.without_status += len(self.without_status)
        outcome.refused += len(to_telegram.refused)
        outcome.lost += len(to_planfix.lost) + len(to_telegram.lost)
        outcome.out_of_order += len(to_planfix.out_of_order) + len(to_telegram.out_of_order)

    def discrepancies(self) -> Iterator[tuple[str, str]]:
        """Name each message that makes a soak fail, with what is wrong with it."""
        to_planfix, to_telegram = self.to_planfix, self.to_telegram
        for what, texts in (
            ("not in Planfix", to_planfix.lost),
            ("out of order in Planfix", to_planfix.out_of_order),
            ("not in Telegram", to_telegram.lost),
            ("refused", sorted(to_telegram.refused)),
            ("twice in Telegram", to_telegram.twice),
            ("out of order in Telegram", to_telegram.out_of_order),
            ("without a status", self.without_status),
        ):
            yield from ((what, text) for text in texts)


async def explain(chats: Sequence[Chat], gateway: GatewayProgram, log: str) -> Iterator[str]:
    """Describe each wrong message with everything that both sides know about it."""
    lines = []
    for chat in chats:
        wrong = list(chat.discrepancies())
        rows = await _journal_of(chat.line, gateway) if wrong else []
        for what, text in wrong[:SHOWN]:
            lines += [f"{chat.line.number}: {text!r} is {what}", *_views(chat.line, rows, text)]
        if wrong:
            lines.append(f"{chat.line.number}: {len(wrong)} are wrong in all")
            named = [each for each in log.splitlines() if chat.line.number in each]
            lines += [f"  log: {each}" for each in named[-LOG_LINES:]]
    return iter(lines)


async def _journal_of(line: ConnectedNumber, gateway: GatewayProgram) -> list[dict[str, Any]]:
    """Read all rows of a number, a page at a time."""
    rows: list[dict[str, Any]] = []
    before = ""
    while True:
        path = f"/numbers/{line.number}/messages?limit={PAGE}{before}"
        page = (await gateway.call("GET", path))["messages"]
        rows += page
        if len(page) < PAGE:
            return rows
        before = f"&before={page[-1]['id']}"


def _views(line: ConnectedNumber, rows: list[dict[str, Any]], text: str) -> Iterator[str]:
    """Show the message's row, its calls to Planfix and its copies in Telegram."""
    for row in rows:
        if text in (row["text"], row["message_id"]):
            yield f"  row: {json.dumps(row)}"
    for call in line.planfix.journal.calls:
        if text in (*call.fields.get("message", ()), *call.fields.get("messageId", ())):
            yield f"  call to Planfix: at {call.at:.3f}, answered {call.status}: {dict(call.fields)}"
    yield from _copies("number", line.me.box, text)
    yield from _copies("contact", line.contact.box, text)


def _copies(whose: str, box: Iterable[Message], text: str) -> Iterator[str]:
    for message in box:
        if message.content.text == text:
            when = message.content.date.isoformat()
            yield f"  in Telegram's box of the {whose}: id {message.id}, out {message.out}, {when}"
