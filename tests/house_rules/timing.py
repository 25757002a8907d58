"""House rules about time: tests neither sleep for a guess nor depend on the machine's speed."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from tests.house_rules.rules import Source, tests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_NAP = 0.1  # seconds
CLOCKS = {"monotonic", "perf_counter", "process_time", "time"}


def no_test_sleeps_a_guess(source: Source) -> Iterator[str]:
    """Wait for a condition, unless the clock of the test is ours."""
    constants = _constants(source)
    if source.path.rpartition("/")[2].startswith("test_"):
        for call in _in_real_time(source.tree):
            if _is_guess(call, constants):
                yield f"`{ast.unparse(call)}` is a guess; await eventually(...)"


def no_test_is_timed(source: Source) -> Iterator[str]:
    """Assert no upper bound on measured time: a slow machine would break it."""
    for test in tests_of(source):
        if not _has_own_clock(test):
            clocks = _assigned(test, _is_clock, set())
            spans = _assigned(test, partial(_is_span, clocks=clocks), set())
            for node in ast.walk(test):
                if isinstance(node, ast.Assert) and _has_time_limit(node.test, clocks, spans):
                    yield f"{test.name}: `{ast.unparse(node)}` depends on the speed of the machine"


def _has_own_clock(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return "autojump_clock" in {argument.arg for argument in function.args.args}


def _in_real_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk everything but the tests that have a clock of their own."""
    for child in ast.iter_child_nodes(tree):
        if not (
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and _has_own_clock(child)
        ):
            yield child
            yield from _in_real_time(child)


def _constants(source: Source) -> dict[str, float]:
    return {
        target.id: node.value.value
        for node in source.tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int | float)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _is_guess(node: ast.AST, constants: dict[str, float]) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="sleep"), args=[ast.Constant(value=seconds)]):
            return isinstance(seconds, int | float) and seconds >= LONGEST_NAP
        case ast.Call(func=ast.Attribute(attr="sleep"), args=[ast.Name(id=name)]):
            return constants.get(name, 0) >= LONGEST_NAP
        case _:
            return False


def _is_clock(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in CLOCKS
        case _:
            return False


def _is_span(node: ast.AST, clocks: set[str]) -> bool:
    """Tell whether a moment is subtracted from something here."""
    match node:
        case ast.BinOp(op=ast.Sub(), right=right):
            return any(
                _is_clock(each) or (isinstance(each, ast.Name) and each.id in clocks)
                for each in ast.walk(right)
            )
        case _:
            return False


def _assigned(function: ast.AST, is_wanted: Callable[[ast.AST], bool], known: set[str]) -> set[str]:
    """Collect the names that stand for what is wanted, directly or through other names."""
    found = set(known)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(
            is_wanted(each) or (isinstance(each, ast.Name) and each.id in found)
            for each in ast.walk(node.value)
        ):
            found |= {
                each.id
                for target in node.targets
                for each in ast.walk(target)
                if isinstance(each, ast.Name)
            }
    return found if found == known else _assigned(function, is_wanted, found)


def _has_time_limit(test: ast.expr, clocks: set[str], spans: set[str]) -> bool:
    return any(
        isinstance(node, ast.Compare)
        and any(_is_span_in(each, clocks, spans) for each in _lesser(node))
        for node in ast.walk(test)
    )


def _lesser(comparison: ast.Compare) -> Iterator[ast.expr]:
    """Yield what must not grow for the comparison to hold."""
    terms = [comparison.left, *comparison.comparators]
    for left, operator, right in zip(terms, comparison.ops, terms[1:], strict=False):
        if isinstance(operator, ast.Lt | ast.LtE):
            yield left
        elif isinstance(operator, ast.Gt | ast.GtE):
            yield right


def _is_span_in(term: ast.expr, clocks: set[str], spans: set[str]) -> bool:
    return any(
        _is_span(node, clocks) or (isinstance(node, ast.Name) and node.id in spans)
        for node in ast.walk(term)
    )
