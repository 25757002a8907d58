"""House rules no tool checks: each takes a file, says what is wrong with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

EMPTY_NAMES = {"base", "common", "helpers", "manager", "misc", "utils"}
MOST_LINES = 300
BANNED_IN_TESTS = re.compile(
    r"^(unittest\.mock|mock|mocker)\b|^monkeypatch\.(setattr|setitem|delattr)$"
    r"|^pytest\.(mark\.)?(skip|skipif|xfail)$|^pytest\.importorskip$"
)


@dataclass(frozen=True)
class Source:
    """One text file of the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


Rule = Callable[[Source], Iterator[str]]


def name_says_something(source: Source) -> Iterator[str]:
    """Name a module after the thing in it."""
    if EMPTY_NAMES & set(source.path.removesuffix(".py").split("/")):
        yield "name the thing in it; banned: " + ", ".join(sorted(EMPTY_NAMES))


def module_opens_with_a_sentence(source: Source) -> Iterator[str]:
    """Open a module with a sentence that says what it is."""
    sentence = re.split(r"\.(?:\s|$)", ast.get_docstring(source.tree) or "", maxsplit=1)
    if source.text.strip() and len(sentence) < 2:
        yield "open the module with a docstring: one sentence that says what it owns"


def file_is_short(source: Source) -> Iterator[str]:
    """Split a file by nouns before it gets long."""
    lines = len(source.text.splitlines())
    if lines > MOST_LINES:
        yield f"{lines} lines, at most {MOST_LINES}: split it by nouns"


def catching_everything_has_a_reason(source: Source) -> Iterator[str]:
    """Say on its line why even a cancellation is caught."""
    lines = source.text.splitlines()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and getattr(node.type, "id", "") == "BaseException":
            _, _, reason = lines[node.lineno - 1].partition("#")
            if not reason.strip():
                yield f"line {node.lineno}: say on the line why a cancellation is caught, too"


def every_test_states_its_rule(source: Source) -> Iterator[str]:
    """Say in a docstring what a test holds true."""
    for test in tests_of(source):
        if not ast.get_docstring(test):
            yield f"line {test.lineno}: {test.name} needs a docstring: the rule, in a sentence"


def tests_meet_the_real_thing(source: Source) -> Iterator[str]:
    """Neither mock, patch nor skip: what a test needs is passed in."""
    for node in ast.walk(source.tree):
        for name in filter(BANNED_IN_TESTS.search, _names(node)):
            yield f"{name} has no place in our tests: pass a seam in, run the real thing"


def lock_names_no_place(source: Source) -> Iterator[str]:
    """Keep registries, machines, options out of the locked requirements."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        requirement = re.sub(r"--hash=\S+", "", line)
        if re.search(r"://|(^|\s)-|[/~@]", requirement):
            yield f"line {number}: only names, versions, hashes belong here: {line.strip()}"


def tests_of(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            yield node


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            return [f"{node.module}.{alias.name}" for alias in node.names]
        case ast.Attribute():
            return [ast.unparse(node)]
        case _:
            return []
