"""House rules about folders and module names: each takes the paths or sources of all modules."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tests.house_rules.names import REASONS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.house_rules.rules import Source

MOST_MODULES = 14
ONE_FOR_EACH = {"supervisor/migrations/versions"}  # change of the tables since the first
SMALL = 50  # lines
GATEWAY = ("api/", "supervisor/", "session_worker/")
LANGUAGES = {"en", "ru", "uk"}
MOST_WITH_ONE_IMPORTER = 0.149  # of the modules that could have more; lower it when fewer are left


def folders_are_small(paths: Sequence[str]) -> Iterator[str]:
    """Give a folder with more modules than one can keep in mind an inner one, by concern."""
    modules = Counter(str(PurePosixPath(p).parent) for p in paths if not p.endswith("__init__.py"))
    for folder, count in sorted(modules.items()):
        if count > MOST_MODULES and folder not in ONE_FOR_EACH:
            yield f"{folder}: {count} modules, at most {MOST_MODULES}"


def names_say_what(paths: Sequence[str], words: frozenset[str] = WORDS) -> Iterator[str]:
    """Name a module by words of the glossary, of the protocols or of engineering; no pictures."""
    for path in paths:
        for word in words_of(path):
            if word not in words:
                yield f"{path}: is {word!r} a word of ours? Then add it to tests/house_rules/names.py"


def words_of(path: str) -> list[str]:
    name = re.sub(r"^v\d{4}_", "", PurePosixPath(path).stem)
    return [word for word in name.split("_") if word]


def small_modules_have_a_reason(
    sources: Sequence[Source], reasons: Mapping[str, str] = REASONS
) -> Iterator[str]:
    """Put a few lines that one module needs into that module, unless there is a reason."""
    importers = _importers(sources)
    for source in sources:
        lines = len(source.text.splitlines())
        if source.path.endswith("__init__.py") or source.path in reasons:
            continue
        if lines < SMALL and len(importers[_module(source.path)]) == 1:
            yield f"{source.path}: {lines} lines for one importer; merge it or give its reason"


def few_have_one_importer(
    sources: Sequence[Source], most: float = MOST_WITH_ONE_IMPORTER
) -> Iterator[str]:
    """Put what belongs to one neighbour into it: a reader opens a file for each module on the way.

    The calls of a subject, and what is written in a language, are asked for in one place by nature.
    """
    importers = _importers(sources)
    modules = [source.path for source in sources if _could_have_many_importers(source)]
    single = [path for path in modules if len(importers[_module(path)]) == 1]
    if len(single) > most * len(modules):
        yield f"{len(single)} of {len(modules)} modules have one importer: {', '.join(single)}"


def _could_have_many_importers(source: Source) -> bool:
    path = source.path
    is_of_gateway = path.startswith(GATEWAY) and not path.endswith("__init__.py")
    is_entry = "\nblueprint = Blueprint(" in source.text
    is_of_language = PurePosixPath(path).stem in LANGUAGES
    return is_of_gateway and not (is_entry or is_of_language or "migrations" in path)


def reasons_are_needed(
    sources: Sequence[Source], reasons: Mapping[str, str] = REASONS
) -> Iterator[str]:
    """Drop the reason of a module that is gone or has grown."""
    kept = list(small_modules_have_a_reason(sources, {}))
    for path in reasons:
        if not any(each.startswith(f"{path}:") for each in kept):
            yield f"{path} needs no reason any more"


def _importers(sources: Sequence[Source]) -> dict[str, set[str]]:
    modules = {_module(source.path) for source in sources}
    found: dict[str, set[str]] = defaultdict(set)
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    found[full if full in modules else node.module].add(source.path)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.name].add(source.path)
    return found


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
