"""The messages of an account as its employees see them: one thread per task."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.planfix.tasks_and_contacts import Chat, TasksAndContacts
    from sandbox.planfix.traffic_log import Journal, Message, Reply, Status

NEWEST = 200  # lines of a thread that are shown


@dataclass(frozen=True, slots=True)
class File:
    """A file of a comment; without an address it is not kept here."""

    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One comment of a task; only an employee's comment has a tick."""

    at: float
    author: Literal["contact", "owner", "employee"]
    text: str
    files: tuple[File, ...]
    message_id: str | None = None
    tick: str | None = None
    tick_text: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """A task with its comments; it has no chat until the gateway names one."""

    task: int
    task_name: str
    chat_id: str | None
    contact: str
    telegram_user_id: str
    channel: str
    lines: tuple[Line, ...]


def list_threads(journal: Journal, known: TasksAndContacts) -> list[Thread]:
    """List the threads, the one with the newest comment first."""
    lines, names = _collect_lines(journal)
    chats = {chat.task.number: chat for chat in known.chats.values()}
    threads = [
        _make_thread(task, chats.get(task), known, names.get(task, ""), lines[task])
        for task in lines
    ]
    return sorted(threads, key=lambda thread: thread.lines[-1].at, reverse=True)


def _make_thread(
    task: int, chat: Chat | None, known: TasksAndContacts, contact: str, lines: list[Line]
) -> Thread:
    newest = tuple(sorted(lines, key=lambda line: line.at))[-NEWEST:]
    if chat is None:
        return Thread(task, contact, None, contact, "", "", newest)
    person = known.contact_of(chat)
    label, user_id = person.label or contact, person.telegram_user_id
    name = chat.task.name or label
    return Thread(task, name, chat.chat_id, label, user_id, chat.channel, newest)


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
    """Leave out repeated calls, because their comment is the same."""
    yield from {reply.message_id: reply for reply in replies}.values()


def _line_of_message(message: Message) -> Line:
    author: Literal["owner", "contact"] = "owner" if message.is_echo else "contact"
    files = tuple(File(file.name, file.url) for file in message.attachments)
    return Line(message.at, author, message.text, files)


def _line_of_reply(reply: Reply, status: Status | None) -> Line:
    if status is not None:
        tick, words = status.status, status.text
    elif reply.answered == 200:
        tick, words = "accepted", ""
    else:
        tick, words = "error", f"the gateway answered {reply.answered or 'nothing'}"
    files = tuple(File(file.name, file.url) for file in reply.files)
    return Line(reply.at, "employee", reply.text, files, reply.message_id, tick, words)
