"""An account's traffic as its employees see it: a thread for each task."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.planfix.tasks_and_contacts import CardIndex, Chat
    from sandbox.planfix.traffic_log import Journal, Message, Reply, Status

NEWEST = 200  # lines of a thread that are shown


@dataclass(frozen=True, slots=True)
class Line:
    """One comment of a task; the tick is only the employee's."""

    at: float
    author: Literal["contact", "owner", "employee"]
    text: str
    files: tuple[str, ...]
    message_id: str | None = None
    tick: str | None = None
    tick_text: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """A task with its comments; without a chat while the gateway has named none."""

    task: int
    task_name: str
    chat_id: str | None
    contact: str
    channel: str
    lines: tuple[Line, ...]


def list_threads(journal: Journal, cards: CardIndex) -> list[Thread]:
    """Gather the threads, the one with the newest comment first."""
    lines, names = _collect_lines(journal)
    chats = {chat.task.number: chat for chat in cards.chats.values()}
    threads = [
        _make_thread(task, chats.get(task), cards, names.get(task, ""), lines[task])
        for task in lines
    ]
    return sorted(threads, key=lambda thread: thread.lines[-1].at, reverse=True)


def _make_thread(
    task: int, chat: Chat | None, cards: CardIndex, contact: str, lines: list[Line]
) -> Thread:
    newest = tuple(sorted(lines, key=lambda line: line.at))[-NEWEST:]
    if chat is None:
        return Thread(task, contact, None, contact, "", newest)
    label = cards.contact_of(chat).label or contact
    return Thread(task, chat.task.name or label, chat.chat_id, label, chat.channel, newest)


def _collect_lines(journal: Journal) -> tuple[dict[int, list[Line]], dict[int, str]]:
    ticks = {status.message_id: status for status in journal.statuses}
    lines: dict[int, list[Line]] = defaultdict(list)
    names: dict[int, str] = {}
    for message in journal.messages:
        lines[message.task].append(_line_of_message(message))
    for reply in _once_each(journal.replies):
        names[reply.task] = reply.contact
        lines[reply.task].append(_line_of_reply(reply, ticks.get(reply.message_id)))
    return lines, names


def _once_each(replies: Iterable[Reply]) -> Iterator[Reply]:
    """Leave a repeated call out; the comment is the same."""
    yield from {reply.message_id: reply for reply in replies}.values()


def _line_of_message(message: Message) -> Line:
    author: Literal["owner", "contact"] = "owner" if message.is_echo else "contact"
    files = tuple(file.name for file in message.attachments)
    return Line(message.at, author, message.text, files)


def _line_of_reply(reply: Reply, status: Status | None) -> Line:
    if status is not None:
        tick, words = status.status, status.text
    elif reply.answered == 200:
        tick, words = "accepted", ""
    else:
        tick, words = "error", f"the gateway answered {reply.answered or 'nothing'}"
    return Line(reply.at, "employee", reply.text, reply.files, reply.message_id, tick, words)
