"""Every file keeps the house rules, and each rule finds what it forbids."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house_rules import rules, timing
from tests.house_rules.rules import Rule, Source

TOP = Path(__file__).parents[2]
PRODUCT = ("api", "sandbox", "session_worker", "supervisor", "teamflame", "benchmarks")

RULES_OF_PRODUCT = [
    rules.name_says_something,
    rules.module_opens_with_a_sentence,
    rules.file_is_short,
    rules.catching_everything_has_a_reason,
]
RULES_OF_TESTS = [
    rules.name_says_something,
    rules.every_test_states_its_rule,
    rules.tests_meet_the_real_thing,
    timing.no_test_sleeps_a_guess,
    timing.no_test_is_timed,
]


@pytest.mark.parametrize("rule", RULES_OF_PRODUCT)
def test_product_keeps_the_rule(rule: Rule) -> None:
    """Every module of the product keeps the house rules."""
    modules = [path for package in PRODUCT for path in (TOP / package).rglob("*.py")]

    _assert_kept(rule, modules)


@pytest.mark.parametrize("rule", RULES_OF_TESTS)
def test_tests_keep_the_rule(rule: Rule) -> None:
    """Every module of the tests keeps the house rules."""
    _assert_kept(rule, list((TOP / "tests").rglob("*.py")))


def test_locked_requirements_name_no_place() -> None:
    """Whoever installs decides from where: the lock files hold no address, no option, no path."""
    locks = list(TOP.glob("requirements*.txt"))

    assert len(locks) == 2
    _assert_kept(rules.lock_names_no_place, locks)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (rules.name_says_something, Source("api/utils.py", "")),
        (rules.name_says_something, Source("api/helpers/text.py", "")),
        (rules.module_opens_with_a_sentence, Source("a.py", "x = 1")),
        (rules.module_opens_with_a_sentence, Source("a.py", '"""No full stop"""')),
        (rules.file_is_short, Source("a.py", "x = 1\n" * 301)),
        (
            rules.catching_everything_has_a_reason,
            Source("a.py", "try: ...\nexcept BaseException: raise"),
        ),
        (rules.every_test_states_its_rule, Source("t.py", "def test_x(): ...")),
        (rules.every_test_states_its_rule, Source("t.py", "class A:\n async def test_x(s): ...")),
        (rules.tests_meet_the_real_thing, Source("t.py", "from unittest import mock")),
        (rules.tests_meet_the_real_thing, Source("t.py", "import unittest.mock")),
        (rules.tests_meet_the_real_thing, Source("t.py", "monkeypatch.setattr(a, 'b', 1)")),
        (rules.tests_meet_the_real_thing, Source("t.py", "@pytest.mark.skip\ndef f(): ...")),
        (rules.tests_meet_the_real_thing, Source("t.py", "pytest.xfail('later')")),
        (timing.no_test_sleeps_a_guess, Source("test_t.py", "def test_x(): time.sleep(1)")),
        (
            timing.no_test_sleeps_a_guess,
            Source("test_t.py", "async def test_x(): await sleep.sleep(0.5)"),
        ),
        (timing.no_test_sleeps_a_guess, Source("test_t.py", "async def f(): await a.sleep(2)")),
        (timing.no_test_sleeps_a_guess, Source("test_t.py", "NAP = 1\ndef f(): a.sleep(NAP)")),
        (
            timing.no_test_is_timed,
            Source("t.py", "def test_x():\n t = time.time()\n assert time.time() - t < 2"),
        ),
        (
            timing.no_test_is_timed,
            Source("t.py", "def test_x():\n t = monotonic()\n d = f() - t\n assert 2 >= d"),
        ),
        (rules.lock_names_no_place, Source("r.txt", "--index-url https://example.org")),
        (rules.lock_names_no_place, Source("r.txt", "--find-links wheels")),
        (rules.lock_names_no_place, Source("r.txt", "thing @ file:///opt/thing.whl")),
        (rules.lock_names_no_place, Source("r.txt", "# from ./local")),
    ],
)
def test_rule_finds_the_violation(rule: Rule, source: Source) -> None:
    """Each rule reports the least example of what it forbids."""
    assert list(rule(source))


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (rules.name_says_something, Source("api/database.py", "")),
        (rules.module_opens_with_a_sentence, Source("a/__init__.py", "")),
        (rules.module_opens_with_a_sentence, Source("a.py", '"""Reads and writes."""')),
        (rules.file_is_short, Source("a.py", "x = 1\n" * 300)),
        (rules.every_test_states_its_rule, Source("t.py", 'def test_x():\n    """A rule."""')),
        (rules.tests_meet_the_real_thing, Source("t.py", "monkeypatch.setenv('A', 'b')")),
        (timing.no_test_sleeps_a_guess, Source("test_t.py", "def test_x(): asyncio.sleep(0.01)")),
        (
            timing.no_test_sleeps_a_guess,
            Source("test_t.py", "def test_x(autojump_clock): a.sleep(9)"),
        ),
        (
            timing.no_test_is_timed,
            Source("t.py", "def test_x():\n t = time.time()\n assert time.time() - t > 2"),
        ),
        (
            timing.no_test_is_timed,
            Source("t.py", "def test_x(autojump_clock):\n t = time()\n assert time() - t < 2"),
        ),
        (rules.lock_names_no_place, Source("r.txt", "a==1 ; x != 'y' \\\n    --hash=sha256:12")),
    ],
)
def test_rule_lets_the_rest_be(rule: Rule, source: Source) -> None:
    """No rule reports what is allowed."""
    assert list(rule(source)) == []


def _assert_kept(rule: Rule, paths: list[Path]) -> None:
    sources = [Source(str(path.relative_to(TOP)), path.read_text()) for path in sorted(paths)]
    violations = [f"{source.path}: {found}" for source in sources for found in rule(source)]
    assert not violations, "\n".join([rule.__doc__ or "", *violations])
