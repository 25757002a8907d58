"""What people answer to a notification becomes a comment of its task, each answer once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from session_worker.protocol.bots import ButtonPress, HeardMessage, Speaker
from supervisor.config import Config
from supervisor.errors import NotificationUnknown
from supervisor.messages.message_service import Dispatchers
from supervisor.notifications.notice import Notice
from supervisor.notifications.notification_service import NotificationService, Sender
from supervisor.notifications.planfix_accounts import PlanfixAccounts, PlanfixRefused
from supervisor.notifications.planfix_answers import PlanfixAnswers
from supervisor.store.heard import HeardRow
from tests.unit.supervisor.rows import NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from session_worker.planfix.rest import PlanfixRest
    from supervisor.store.store import Store


FOREIGN = 3  # a message that no notification was sent as


class SentNotifications(NotificationService):
    """Notifications of which every message but the third is about one task."""

    async def find_sent(self, number: str, peer_id: int, message_id: int) -> Notice:
        if message_id == FOREIGN:
            raise NotificationUnknown
        return Notice(task="5")


class Account(PlanfixAccounts):
    """An account that keeps its comments, and fails to answer if it is told to."""

    failures = 0

    def __init__(self) -> None:
        self.comments: list[str] = []

    async def can_comment(self, number: str) -> bool:
        return False

    async def write(self, number: str, task: str, text: str, *, is_repeat: bool) -> int | None:
        if not (is_repeat and text in self.comments):
            self.comments.append(text)
        if self.failures:
            self.failures -= 1
            raise PlanfixRefused("its answer was lost", is_final=False)
        return self.comments.index(text) + 1


class TakenComments:
    """A REST API that takes every comment."""

    async def add_comment(self, _task: str, _description: str) -> int:
        return 1


class ReadyAccount(PlanfixAccounts):
    """An account whose REST API answers."""

    async def can_read(self, number: str) -> bool:
        return True

    async def _rest(self, number: str, seconds: float) -> PlanfixRest:
        return cast("PlanfixRest", TakenComments())


def answered(row: int, text: str) -> HeardRow:
    speaker = Speaker(user_id=7, first_name="Anna")
    message = HeardMessage(
        chat_id=7, message_id=row, date=0, speaker=speaker, text=text, reply_to=1
    )
    return HeardRow(row, NUMBER, message)


def pressed(row: int, message: int, data: str) -> HeardRow:
    press = ButtonPress(query_id=row, chat_id=7, message_id=message, user_id=7, data=data)
    return HeardRow(row, NUMBER, press)


async def _sender_of(number: str) -> Sender:
    return Sender(number, is_bot=True, language="en")


async def _answer_press(_bot: str, _query: int) -> None:
    pass


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def notifications(store: Store, tmp_path: Path) -> SentNotifications:
    dispatchers = Dispatchers(store, Config(tmp_path, tmp_path, 1, "hash"))
    return SentNotifications(store, dispatchers, store.people, _sender_of)


@pytest.fixture
def answers(notifications: SentNotifications, account: Account) -> PlanfixAnswers:
    return PlanfixAnswers(notifications, account, _answer_press)


async def test_answer_does_not_wait_because_a_question_has_failed(
    store: Store, tmp_path: Path
) -> None:
    """A person's answer is given up within a minute, and only Planfix's own limit may delay it."""
    account = ReadyAccount(store, Config(tmp_path, tmp_path, 1, "hash"))
    account.rest(NUMBER, 60.0, "no answer", is_wanted=False)
    assert account.rests_for(NUMBER) > 0.0
    assert await account.write(NUMBER, "5", "Anna: Yes", is_repeat=False) == 1

    account.rest(NUMBER, 60.0, "its limit")
    with pytest.raises(PlanfixRefused):
        await account.write(NUMBER, "5", "Anna: No", is_repeat=False)


async def test_same_answer_twice_is_two_comments(answers: PlanfixAnswers, account: Account) -> None:
    """Who answers "yes" to one question and later to another has said it twice."""
    await answers.handle(answered(1, "Yes"))
    await answers.handle(answered(2, "Yes"))

    assert account.comments == ["Anna: Yes", "Anna: Yes"]


async def test_answer_that_is_tried_again_is_one_comment(
    answers: PlanfixAnswers, account: Account
) -> None:
    """An answer that Planfix took, though nobody learned of it, is not written again."""
    account.failures = 1
    with pytest.raises(PlanfixRefused):
        await answers.handle(answered(1, "Yes"))

    await answers.handle(answered(1, "Yes"))

    assert account.comments == ["Anna: Yes"]


@pytest.mark.parametrize(
    ("message", "data"),
    [
        (1, "planfix:6"),
        (1, "planfix:"),
        (1, "planfix:5/../../contact/9?"),
        (FOREIGN, "planfix:5"),
        (FOREIGN, "planfix:"),
    ],
)
async def test_forged_press_opens_no_task(
    answers: PlanfixAnswers, notifications: SentNotifications, message: int, data: str
) -> None:
    """Anybody can send a press with data of their own; only the task of the pressed message is asked about."""
    assert await answers.handle(pressed(1, message, data))
    assert await answers.handle(pressed(2, 1, "planfix:5"))

    asked = [await notifications.find_repeat(NUMBER, f"prompt:{row}") for row in (1, 2)]
    assert asked[0] is None
    assert asked[1] is not None
