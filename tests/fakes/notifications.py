"""Notifications in memory: accepted, and never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.errors import NotificationUnknown, TemplateUnknown
from supervisor.notifications.formatting.default_templates import default_template
from supervisor.notifications.formatting.templates import Template, check_template
from supervisor.notifications.notification_service import NotificationService, Sender
from supervisor.notifications.outcome import Accepted
from supervisor.notifications.planfix_events import PlanfixEvents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.notifications.notice import Manner, Notice
    from supervisor.notifications.outcome import RecipientOutcome
    from supervisor.notifications.planfix_event import PlanfixEvent
    from supervisor.notifications.recipients import Address


class FakeNotifications(NotificationService):
    """Answers as the service does, without a database."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, Notice]] = []
        self.templates: dict[str, Template] = {}

    async def sender_of(self, number: str) -> Sender:
        return Sender(number, is_bot=True, language="en")

    async def notify(
        self,
        sender: Sender,
        addresses: Sequence[Address],
        notice: Notice,
        manner: Manner,
        *,
        dry_run: bool = False,
        unfinished: Notice | None = None,
    ) -> Accepted:
        if dry_run:
            return Accepted(None, len(addresses), notice.rejected)
        self.accepted.append((sender.number, notice))
        return Accepted(f"ntf_{len(self.accepted)}", len(addresses), notice.rejected)

    async def number_of(self, notification: str) -> str:
        await self.show("", notification)
        return self.accepted[int(notification.removeprefix("ntf_")) - 1][0]

    async def show(self, number: str, notification: str) -> list[RecipientOutcome]:
        if notification not in {f"ntf_{place + 1}" for place in range(len(self.accepted))}:
            raise NotificationUnknown
        return []

    async def wait(self, number: str, notification: str, seconds: float) -> list[RecipientOutcome]:
        return await self.show(number, notification)

    async def find_template(self, owner: str, name: str, language: str) -> Template:
        found = self.templates.get(name) or default_template(name, language)
        if found is None:
            raise TemplateUnknown(name)
        return found

    async def save_template(self, owner: str | None, name: str, template: Template) -> None:
        check_template(template)
        self.templates[name] = template

    async def delete_template(self, owner: str | None, name: str, language: str | None) -> None:
        if self.templates.pop(name, None) is None:
            raise TemplateUnknown(name)


class FakePlanfixEvents(PlanfixEvents):
    """Accepts every event, and tells nobody."""

    def __init__(self) -> None:
        self.events: list[PlanfixEvent] = []

    async def accept(self, number: str, event: PlanfixEvent) -> Accepted:
        self.events.append(event)
        return Accepted(None, len(event.recipients), event.rejected)
