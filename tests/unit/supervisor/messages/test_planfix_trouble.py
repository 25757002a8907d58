"""What keeps a number's messages from Planfix is told to people."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.messages import Deliver, Delivered, Failed, Failure, Send
from supervisor.config import Config
from supervisor.numbers.worker_records import PlanfixTrouble, WorkerRecords
from supervisor.texts import describe_trouble
from tests.unit.supervisor.rows import NUMBER, received

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.store.store import Store
    from tests.unit.supervisor.conftest import Office

UNAUTHORIZED = Failed(row=1, failure=Failure(code="planfix_unauthorized", next_try=1.0))
UNAVAILABLE = Failed(row=1, failure=Failure(code="planfix_unavailable", next_try=1.0))
FORBIDDEN = Failed(row=1, failure=Failure(code="planfix_forbidden", next_try=1.0))
REJECTED = Failed(row=1, failure=Failure(code="planfix_rejected"))
DELIVERED = Delivered(row=1)


@pytest.fixture
async def records(store: Store, tmp_path: Path) -> WorkerRecords:
    records = WorkerRecords(NUMBER, store, Config(tmp_path, tmp_path, 1, "hash", language="en"))
    await records.make_assignment()
    return records


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([UNAUTHORIZED], "planfix_unauthorized"),
        ([UNAUTHORIZED, UNAVAILABLE], "planfix_unavailable"),
        ([UNAUTHORIZED, DELIVERED], None),
        ([FORBIDDEN], "planfix_forbidden"),
        ([UNAUTHORIZED, REJECTED], "planfix_unauthorized"),
        ([REJECTED], None),
        ([DELIVERED, UNAUTHORIZED], "planfix_unauthorized"),
    ],
)
async def test_trouble_is_shown_until_something_comes_through(
    store: Store, records: WorkerRecords, events: list[Failed | Delivered], expected: str | None
) -> None:
    """A token that is refused, a Planfix that is away: each is the last error until it is over."""
    for event in events:
        await records.record_planfix([event])

    error = (await store.numbers.get(NUMBER)).last_error
    assert (error and error.code) == expected


@pytest.mark.parametrize("is_allowed", [False, True])
async def test_worker_is_told_where_planfix_may_lie(
    store: Store, tmp_path: Path, is_allowed: bool
) -> None:
    """Whether a private address may be called is the operator's word, carried to the worker."""
    config = Config(tmp_path, tmp_path, 1, "hash", allow_private_planfix=is_allowed)

    assignment = await WorkerRecords(NUMBER, store, config).make_assignment()

    assert assignment.planfix.may_be_private is is_allowed


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
@pytest.mark.parametrize("code", PlanfixTrouble)
def test_trouble_says_what_to_do(code: str, language: str) -> None:
    """Each trouble has a sentence for what happened, another for who must do what."""
    error = describe_trouble(code, language)

    assert error.message.endswith(".")
    assert error.action.endswith(".")


async def test_a_number_that_is_started_by_hand_waits_for_nothing(
    store: Store, office: Office
) -> None:
    """Whoever starts or changes a number may have cured Planfix; Telegram's pauses are kept."""
    await office.say(received(1))
    into = office.told_of(Deliver)[0].row
    out = (await office.write("m1")).row
    later = time.time() + 300
    for row in (into, out):
        await office.say(Failed(row=row, failure=Failure(code="FLOOD_WAIT", next_try=later)))

    await store.journals.hasten(NUMBER)
    await office.reopen()

    assert [order.next_try for order in office.told_of(Deliver)] == [0]
    assert [order.next_try for order in office.told_of(Send)] == [pytest.approx(later)]
