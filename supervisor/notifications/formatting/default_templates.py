"""The templates that exist from the start: for Planfix's events, and for an app that sells tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supervisor.notifications.formatting.templates import Template, TextFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

FALLBACK_LANGUAGE = "en"
OTHER_EVENT = "planfix.event"
"""The template for an event of Planfix that has none of its own."""

_HEADS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "task.created": "New task",
        "task.assigned": "A task was assigned to you",
        "comment.added": "New comment",
        "status.changed": "The status has changed",
        "due.soon": "The task is due soon",
        "due.overdue": "The task is overdue",
        OTHER_EVENT: "News from Planfix",
    },
    "ru": {
        "task.created": "Новая задача",
        "task.assigned": "Вам назначена задача",
        "comment.added": "Новый комментарий",
        "status.changed": "Изменён статус",
        "due.soon": "Скоро срок задачи",
        "due.overdue": "Задача просрочена",
        OTHER_EVENT: "Новости из ПланФикса",
    },
    "uk": {
        "task.created": "Нове завдання",
        "task.assigned": "Вам призначено завдання",
        "comment.added": "Новий коментар",
        "status.changed": "Змінено статус",
        "due.soon": "Скоро термін завдання",
        "due.overdue": "Завдання прострочено",
        OTHER_EVENT: "Новини з ПланФікса",
    },
}
_LABELS: Final = {
    "en": ("From", "Status", "Due"),
    "ru": ("От", "Статус", "Срок"),
    "uk": ("Від", "Статус", "Термін"),
}
_FIELDS: Final = {
    "event.created": ("title", "location", "date", "organizer"),
    "ticket.purchased": ("event_title", "price", "buyer"),
}
_SALES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "en": {
        "event.created": ("New event", "Title", "Place", "Date", "Organizer"),
        "ticket.purchased": ("Ticket sold", "Event", "Price", "Buyer"),
    },
    "ru": {
        "event.created": ("Новое мероприятие", "Название", "Место", "Дата", "Организатор"),
        "ticket.purchased": ("Билет куплен", "Мероприятие", "Цена", "Покупатель"),
    },
    "uk": {
        "event.created": ("Нова подія", "Назва", "Місце", "Дата", "Організатор"),
        "ticket.purchased": ("Квиток куплено", "Подія", "Ціна", "Покупець"),
    },
}


def default_template(name: str, language: str) -> Template | None:
    """Return one of our own templates, in English if there is none in this language."""
    spoken = language if language in _HEADS else FALLBACK_LANGUAGE
    if name in _SALES[spoken]:
        return Template(_of_sale(name, spoken), TextFormat.HTML, spoken)
    head = _HEADS[spoken].get(name)
    return None if head is None else Template(_of_event(head, spoken), TextFormat.HTML, spoken)


def event_names() -> list[str]:
    """Return the names of the templates for events of Planfix."""
    return sorted(_HEADS[FALLBACK_LANGUAGE])


def _of_sale(name: str, language: str) -> str:
    head, *labels = _SALES[language][name]
    fields = zip(labels, _FIELDS[name], strict=True)
    lines = [f"<b>{head}</b>", *(f"{label}: {{{{ {field} }}}}" for label, field in fields)]
    return "\n".join(lines)


def _of_event(head: str, language: str) -> str:
    author, status, due = _LABELS[language]
    return (
        f'{head}{{% if task != "" %}} #{{{{ task }}}}{{% endif %}}'
        '{% if title != "" %}\n<b>{{ title }}</b>{% endif %}'
        + _line(author, "author")
        + _line(status, "status")
        + _line(due, "due")
        + '{% if text != "" %}\n<blockquote expandable>{{ text }}</blockquote>{% endif %}'
    )


def _line(label: str, field: str) -> str:
    return f'{{% if {field} != "" %}}\n{label}: {{{{ {field} }}}}{{% endif %}}'
