"""Every reason that the API gives has its translations."""

from __future__ import annotations

from string import Formatter

import pytest

from api.requests.reasons import REASONS
from tests.house_rules.reasons import reasons_in, reasons_in_sources


def values_in(text: str) -> int:
    return sum(name is not None for _, name, _, _ in Formatter().parse(text))


@pytest.mark.parametrize("language", REASONS)
def test_every_reason_in_the_sources_is_translated(language: str) -> None:
    """Whatever the sources raise or answer in words can be said in each language."""
    assert sorted(reasons_in_sources() - REASONS[language].keys()) == []


def test_languages_have_the_same_reasons() -> None:
    """Each reason is there in each language, with as many values."""
    ru, uk = REASONS["ru"], REASONS["uk"]

    assert ru.keys() == uk.keys()
    for english in ru:
        assert values_in(english) == values_in(ru[english]) == values_in(uk[english]), english


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('raise invalid("body", "is no poem")', "is no poem"),
        ('raise ApiError(400, "x", f"{name} is odd")', "{} is odd"),
        ('raise errors.NumberOffline("the cable is cut")', "the cable is cut"),
        ('def objection(): return None if x else "must rhyme too"', "must rhyme too"),
        ('reason = "it is late"', "it is late"),
    ],
)
def test_rule_finds_reasons(source: str, found: str) -> None:
    """A sentence counts wherever reasons come from."""
    assert list(reasons_in(source)) == [found]
