"""One number of an account looks for its Planfix, all others hear of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.contract import WatchPlanfix
from supervisor.numbers.worker_pool import PlanfixOutages

if TYPE_CHECKING:
    from supervisor.numbers.worker_pool import Tell

URL = "https://acme.planfix.com/webchat/api"
OTHER = "https://other.planfix.com/webchat/api"
OFTEN = WatchPlanfix(is_lookout=True)
SELDOM = WatchPlanfix(is_lookout=False)
NOW = WatchPlanfix(is_lookout=True, try_now=True)


class Town:
    """Numbers, with what each was told."""

    def __init__(self) -> None:
        self.outages = PlanfixOutages()
        self.told: dict[str, list[WatchPlanfix]] = {}

    def begin(self, *numbers: str, url: str = URL) -> None:
        for number in numbers:
            self.outages.begin(url, number, self._tell(number))

    def _tell(self, number: str) -> Tell:
        return self.told.setdefault(number, []).append


@pytest.fixture
def town() -> Town:
    return Town()


def test_one_number_of_an_account_looks(town: Town) -> None:
    """The first that finds its Planfix away looks often, those after it seldom."""
    town.begin("1", "2", "3")
    town.begin("4", url=OTHER)

    assert town.told == {"1": [OFTEN], "2": [SELDOM], "3": [SELDOM], "4": [OFTEN]}


def test_all_try_when_one_has_come_through(town: Town) -> None:
    """The end of an outage is told to all that wait, not to the one that found it."""
    town.begin("1", "2", "3")

    town.outages.end(URL, "1")
    town.outages.end(URL, "2")

    assert [town.told[number][1:] for number in "123"] == [[], [NOW], [NOW]]


def test_another_looks_when_the_first_has_gone(town: Town) -> None:
    """A worker that ends while it looks leaves that to another, one that did not leaves nothing."""
    town.begin("1", "2", "3")

    town.outages.leave(URL, "3")
    town.outages.leave(URL, "1")

    assert [town.told[number][1:] for number in "123"] == [[], [OFTEN], []]


def test_an_outage_that_goes_on_finds_a_new_one_to_look(town: Town) -> None:
    """After a false end the numbers that fail again have one among them that looks."""
    town.begin("1", "2")
    town.outages.end(URL, "1")

    town.begin("2", "1")

    assert town.told["2"][-1] == OFTEN
    assert town.told["1"][-1] == SELDOM


def test_an_outage_is_told_once(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """However many numbers wait, the log has a line for the beginning, another for the end."""
    caplog.set_level(logging.INFO)
    numbers = [f"{number}" for number in range(200)]

    town.begin(*numbers)
    for number in numbers:
        town.outages.end(URL, number)

    assert [record.getMessage() for record in caplog.records] == [
        "Planfix at acme.planfix.com does not answer, messages wait",
        "Planfix at acme.planfix.com answers again, 200 numbers waited",
    ]
