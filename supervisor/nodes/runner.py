"""What a node asks of the part of the gateway that runs its numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

# What comes before the number in a wake-up call; older versions know only the first.
MESSAGES, NOTIFICATIONS = "", "notifications "

Check = Callable[[], Awaitable[bool]]
Act = Callable[[], Awaitable[None]]
Choose = Callable[[], Awaitable["Collection[str]"]]


class Runner(Protocol):
    """Runs the numbers of this node."""

    def kept(self) -> Collection[str]:
        """Return the numbers that run here, and those that have ended but are remembered."""

    def is_busy(self, number: str) -> bool:
        """Whether moving the number now would disturb somebody, such as a login."""

    def memory(self) -> int:
        """Return the memory of this process and of all its workers in bytes."""

    def wake(self, number: str, *, are_notifications: bool) -> None:
        """Hand over the messages, or the notifications, that another node stored for the number."""

    async def look_for_messages(self) -> None:
        """Hand over all waiting messages that no worker has."""

    async def adopt(self, numbers: Collection[str], still_ours: Choose) -> None:
        """Start those numbers that are still ours."""

    async def give_up(self, number: str, is_due: Check, pass_on: Act | None) -> None:
        """If it is due, stop a number, pass it on and forget it; nobody starts it meanwhile.

        Without `pass_on`, the others have taken the number already.
        """


async def always() -> bool:
    return True
