"""The budgets of a number in calls: what may be set, and what is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BeforeValidator, Field

from api.requests.body import Answer, Body

if TYPE_CHECKING:
    from supervisor.governor.budget import Outlook


MOST = 100_000


def _parse_json(value: Any) -> Any:
    """Read the object from the field of a form, which is a text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError) as exc:
        raise ValueError("must be an object in JSON") from exc


JsonInForms = BeforeValidator(_parse_json)


class GovernorSettings(Body):
    """How many people a number may write to first, and how many phones it may look up."""

    enabled: bool | None = None
    first_contacts_per_day: int | None = Field(
        None, ge=1, le=MOST, description="strangers in any 24 hours, on the first day"
    )
    growth_per_day: int | None = Field(
        None, ge=0, le=MOST, description="by how many that grows with each day"
    )
    first_contacts_at_most: int | None = Field(
        None, ge=1, le=MOST, description="where the growth ends"
    )
    burst: int | None = Field(
        None, ge=1, le=MOST, description="how many may follow each other without a pause"
    )
    variance: float | None = Field(
        None, ge=0, le=0.9, description="the share by which the pauses between the others vary"
    )
    look_ups_per_day: int | None = Field(
        None, ge=1, le=MOST, description="phones in any 24 hours that are searched for in Telegram"
    )

    def as_changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class GovernorSettingsAnswer(Answer):
    """The settings of a number's budgets."""

    enabled: bool
    first_contacts_per_day: int
    growth_per_day: int
    first_contacts_at_most: int
    burst: int
    variance: float
    look_ups_per_day: int


class FirstContactsAnswer(Answer):
    """People to whom the number writes first; answers are not counted."""

    per_day: int = Field(description="how many may be written to in any 24 hours, today")
    used: int = Field(description="how many were written to in the last 24 hours")
    left: int
    waiting: int = Field(description="how many people have messages waiting for them")
    next_at: datetime | None = Field(description="when the next one may be written to; null: now")


class LookUpsAnswer(Answer):
    """Phones that were searched for in Telegram within the last 24 hours."""

    used: int
    left: int


class GovernorAnswer(Answer):
    """What is left of the budgets that keep a number from being banned."""

    first_contacts: FirstContactsAnswer
    look_ups: LookUpsAnswer
    answers_only_until: datetime | None = Field(
        description="until when only answers are sent, because Telegram suspects spam"
    )
    cause: str | None = Field(description="the name of Telegram's error that said so")
    settings: GovernorSettingsAnswer


def describe_budgets(outlook: Outlook) -> GovernorAnswer:
    suspicion = outlook.suspicion
    return GovernorAnswer(
        first_contacts=FirstContactsAnswer(
            per_day=outlook.per_day,
            used=outlook.used,
            left=outlook.left,
            waiting=outlook.waiting,
            next_at=_moment(outlook.next_at),
        ),
        look_ups=LookUpsAnswer(used=outlook.look_ups_used, left=outlook.look_ups_left),
        answers_only_until=_moment(suspicion.until if suspicion else None),
        cause=suspicion and suspicion.cause,
        settings=GovernorSettingsAnswer.model_validate(outlook.settings),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
