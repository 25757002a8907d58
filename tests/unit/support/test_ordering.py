"""The order in which the tests run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ordering import SLOW, dealt

TOP = Path("/top")


@dataclass(frozen=True)
class Item:
    """A test."""

    path: Path
    place: int


def items(**folders: int) -> list[Item]:
    """Make so many tests in each folder, those of different folders in turn."""
    made = [
        Item(TOP / "tests" / folder.replace("_", "/") / "test_a.py", place)
        for folder, count in folders.items()
        for place in range(count)
    ]
    return sorted(made, key=lambda each: each.place)


def runs_of(ordered: list[Item], workers: int) -> list[list[Item]]:
    """Cut the tests as xdist does."""
    left, runs = list(ordered), []
    for place in range(workers):
        count = len(left) // (workers - place)
        runs.append(left[:count])
        left = left[count:]
    return runs


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_no_test_is_lost_or_run_twice(workers: int) -> None:
    """However many workers there are, the same tests run, those of a folder in the order they had."""
    given = items(acceptance_messages=7, acceptance_api=5, unit_api=31)

    ordered = dealt(given, TOP, workers)

    assert sorted(ordered, key=given.index) == given
    for folder in {item.path for item in given}:
        places = [item.place for item in ordered if item.path == folder]
        assert places == sorted(places)


def test_folder_with_servers_is_begun_first_and_by_one_worker() -> None:
    """Slow folders are whole, spread over the workers, and stand before what is quick."""
    given = items(acceptance_messages=7, acceptance_api=5, process_workers=9, unit_api=60)

    runs = runs_of(dealt(given, TOP, 3), 3)

    slow = [[item for item in run if "unit" not in item.path.parts] for run in runs]
    assert [len({item.path for item in each}) for each in slow] == [1, 1, 1]
    assert [run[: len(each)] for run, each in zip(runs, slow, strict=True)] == slow


def test_slow_folders_exist() -> None:
    """A folder that was renamed is not forgotten here."""
    top = Path(__file__).parents[3]

    assert [folder for folder in SLOW if not (top / folder).is_dir()] == []
