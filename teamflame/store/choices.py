"""Stores which board a Telegram user has chosen, and what they are notified of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import select

from supervisor.database.transactions import insert_missing, upsert
from teamflame.store import tables

if TYPE_CHECKING:
    from supervisor.database.database import Database

_selection = tables.selection.c
_subscription = tables.subscription.c


class Kind(StrEnum):
    """The kinds of event of which people may be notified."""

    CREATED = "created"
    ASSIGNED = "assigned"
    MOVED = "moved"
    COMMENTED = "commented"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


ALL_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Selection:
    """The board that a person has chosen, and where it is."""

    space_id: str
    project_id: str
    board_id: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a person is notified of on a board."""

    user_id: int
    board_id: str
    kinds: frozenset[Kind]


class Choices:
    """The selections and subscriptions of all Telegram users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.have_changed = asyncio.Event()
        """Set when somebody has subscribed; the board watch waits for it, and clears it."""

    async def selection_of(self, user_id: int) -> Selection | None:
        query = select(_selection.space_id, _selection.project_id, _selection.board_id)
        rows = await self._database.fetch(query.where(_selection.user_id == user_id))
        return Selection(*rows[0]) if rows else None

    async def select(self, user_id: int, selection: Selection) -> None:
        """Remember the board; a person who chooses a board is notified of everything on it at first."""
        row = {
            "user_id": user_id,
            "space_id": selection.space_id,
            "project_id": selection.project_id,
            "board_id": selection.board_id,
        }
        wished = {"user_id": user_id, "board_id": selection.board_id, "kinds": _join(ALL_KINDS)}
        await self._database.write(lambda each: upsert(each, tables.selection, [row]))
        await self._database.write(lambda each: insert_missing(each, tables.subscription, wished))
        self.have_changed.set()

    async def kinds_of(self, user_id: int, board_id: str) -> frozenset[Kind]:
        mine = (_subscription.user_id == user_id) & (_subscription.board_id == board_id)
        rows = await self._database.fetch(select(_subscription.kinds).where(mine))
        return _split(rows[0].kinds) if rows else frozenset()

    async def subscribe(self, subscription: Subscription) -> None:
        row = {
            "user_id": subscription.user_id,
            "board_id": subscription.board_id,
            "kinds": _join(subscription.kinds),
        }
        await self._database.write(lambda each: upsert(each, tables.subscription, [row]))
        self.have_changed.set()

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """List the subscriptions that contain at least one kind of event."""
        query = select(_subscription.user_id, _subscription.board_id, _subscription.kinds)
        rows = await self._database.fetch(query.where(_subscription.kinds != ""))
        return tuple(Subscription(row.user_id, row.board_id, _split(row.kinds)) for row in rows)


def _join(kinds: frozenset[Kind]) -> str:
    return " ".join(sorted(kinds))


def _split(text: str) -> frozenset[Kind]:
    return frozenset(Kind(word) for word in text.split() if word in ALL_KINDS)
