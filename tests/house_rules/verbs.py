"""One pair of verbs for one idea: each takes a source and names the functions that use another."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.house_rules.rules import Source

# What a method is called, and what the one is called that undoes it.
PAIRS: Final[Mapping[str, str]] = {
    "acquire": "release",
    "add": "remove",
    "attach": "detach",
    "begin": "end",
    "connect": "disconnect",
    "lock": "unlock",
    "open": "close",
    "remember": "forget",
    "seal": "unseal",
    "start": "stop",
}

# Verbs with a picture or with several meanings, and what to say in their place.
INSTEAD: Final[Mapping[str, str]] = {
    "gather": "collect",
    "hear": "receive or handle",
    "heed": "handle",
    "launch": "start",
    "learn": "remember",
    "let": "allow, release or admit",
    "meet": "handle or add",
    "note": "record or remember",
    "owe": "the thing that is done later",
    "quit": "stop or close",
    "say": "write, log or report",
    "settle": "finish, or wait for something",
    "shut": "close",
    "surrender": "release",
    "take": "pop, receive, read, acquire or accept",
    "tell": "send, report or describe",
}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Functions that still use such a verb, by package; the lists only shrink.
UNCHANGED: Final[Mapping[str, frozenset[str]]] = {
    "session_worker": _names(
        """
        _note _take_socket _tell learn let_pages_be_merged take take_entities take_gaps
        take_key take_text take_token tell_status
        """
    ),
    "supervisor": _names("take take_epoch"),
}

# Classes that still undo with the verb of another pair; this set only shrinks.
UNPAIRED: Final = frozenset({"HeldConnections"})


def pairs_are_kept(source: Source, unpaired: frozenset[str] = UNPAIRED) -> Iterator[str]:
    """Undo what a method does with the verb of the same pair."""
    for name, methods in _methods(source):
        lonely = [do for do, undo in PAIRS.items() if do in methods and undo not in methods]
        strange = [undo for do, undo in PAIRS.items() if undo in methods and do not in methods]
        if lonely and strange and name not in unpaired:
            yield f"{source.path}: {name} has {lonely} without its counterpart, but {strange}"


def verbs_are_ours(
    source: Source, unchanged: Mapping[str, frozenset[str]] = UNCHANGED
) -> Iterator[str]:
    """Use one pair of verbs for one idea."""
    kept = unchanged.get(_package(source), frozenset())
    for name in _functions_with_other_verbs(source):
        if name not in kept:
            verb = _verb(name)
            yield f"{source.path}: {name}: in place of {verb!r} use {INSTEAD[verb]}"


def unchanged_are_needed(
    sources: list[Source], unchanged: Mapping[str, frozenset[str]] = UNCHANGED
) -> Iterator[str]:
    """Drop a function from the list once it has another name."""
    for package, names in unchanged.items():
        found = {
            name
            for source in sources
            if _package(source) == package
            for name in _functions_with_other_verbs(source)
        }
        for name in sorted(names - found):
            yield f"{package}: {name} is gone; take it off the list in tests/house_rules/verbs.py"


def _functions_with_other_verbs(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _verb(node.name) in INSTEAD:
            yield node.name


def _methods(source: Source) -> Iterator[tuple[str, set[str]]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            functions = (ast.FunctionDef, ast.AsyncFunctionDef)
            yield node.name, {each.name for each in node.body if isinstance(each, functions)}


def _verb(name: str) -> str:
    return name.strip("_").partition("_")[0]


def _package(source: Source) -> str:
    return source.path.partition("/")[0]
