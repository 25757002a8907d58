"""Who is told of an event, and who is not because it was themselves; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from teamflame.store.accounts import Account
    from teamflame.store.choices import Subscription
    from teamflame.watching.snapshot import Event


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who is told of what happens on a board."""

    subscription: Subscription
    account: Account


def recipients_of(event: Event, watchers: Sequence[Watcher]) -> list[Watcher]:
    """Choose who wants to know, is meant, and did not do it."""
    return [
        watcher
        for watcher in watchers
        if event.kind in watcher.subscription.kinds
        and (event.people is None or watcher.account.id in event.people)
        and not _is_own(event, watcher.account)
    ]


def _is_own(event: Event, account: Account) -> bool:
    """Tell whether it was this person; of comments made elsewhere only the author's name is known."""
    if event.actor is not None:
        return event.actor.id == account.id
    return event.comment is not None and event.comment.author == account.name
