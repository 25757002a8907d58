"""The documents name only places that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supervisor.texts import en, ru, uk
from tests.house_rules.documents import (
    anchors_of,
    broken_links,
    missing_names,
    missing_places,
    outline,
    quoted,
)

if TYPE_CHECKING:
    from types import ModuleType

TOP = Path(__file__).parents[2]
DOCUMENTS = [
    *(TOP / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")),
    TOP / "deploy" / "README.md",
    *sorted((TOP / "docs").glob("*.md")),
]
TRANSLATIONS = [path for path in DOCUMENTS if path.stem.endswith((".ru", ".uk"))]


@pytest.fixture(scope="module")
def places() -> frozenset[str]:
    """Every file and folder of the tree, folders with a slash at the end."""
    folders = [
        TOP / name for name in ("api", "sandbox", "session_worker", "supervisor", "teamflame")
    ]
    folders += [TOP / name for name in ("benchmarks", "deploy", "docs", "tests", ".ci")]
    found = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    found += [path for path in TOP.iterdir() if path.is_file()]
    names = ((path.relative_to(TOP).as_posix(), path.is_dir()) for path in found)
    return frozenset(f"{name}/" if is_folder else name for name, is_folder in names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_places_exist(document: Path, places: frozenset[str]) -> None:
    """Every module and folder that a document names is in the tree, if only below its package."""
    assert list(missing_places(document.read_text(), places)) == []


def test_names_exist() -> None:
    """Every class, function and field that the tour of the code names is in the code."""
    folders = ("api", "sandbox", "session_worker", "supervisor", "teamflame", "tests")
    paths = (path for name in folders for path in (TOP / name).rglob("*.py"))
    source = "".join(path.read_text() for path in paths if "house_rules" not in path.parts)

    assert list(missing_names((TOP / "docs" / "architecture.md").read_text(), source)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link to another document, or to a heading, finds it."""
    anchors = {path.resolve(): anchors_of(path.read_text()) for path in DOCUMENTS}

    assert list(broken_links(document, anchors)) == []


@pytest.mark.parametrize("document", TRANSLATIONS, ids=lambda path: path.name)
def test_translation_follows_the_original(document: Path) -> None:
    """A translation has the sections, commands, tables and names of the original, and both lead to each other."""
    text = document.read_text()
    original = document.with_name(f"{document.name.split('.')[0]}.md")
    english = original.read_text()

    assert outline(text) == outline(english)
    assert quoted(text) ^ quoted(english) == set()
    assert f"]({original.name})" in text
    assert f"]({document.name})" in english


@pytest.mark.parametrize(
    ("name", "texts"), [("planfix", en), ("planfix.ru", ru), ("planfix.uk", uk)]
)
def test_texts_for_employees_are_those_of_the_gateway(name: str, texts: ModuleType) -> None:
    """What the guide says that employees read in Planfix is what the gateway writes there, word for word."""
    cells = re.findall(r"(?m)^\| ([^|]+\.) \|", (TOP / "docs" / f"{name}.md").read_text())
    written = {employee for employee, _ in texts.FAILURES.values()}

    assert len(cells) > 5
    assert set(cells) <= written


def test_changelog_says_each_thing_once() -> None:
    """Merges keep both sides of a list that somebody has put in another order."""
    lines = (TOP / "CHANGELOG.md").read_text().split("\n## [")[1].splitlines()
    said = [line for line in lines if len(line) > 20 and not line.startswith("|")]
    assert [line for line in said if said.count(line) > 1] == []


def test_missing_place_is_found() -> None:
    """A module, a folder or a path that is nowhere is reported, one below a package is not."""
    places = frozenset({"api/", "api/numbers/", "api/numbers/webhook.py"})

    text = "`webhook.py` in `numbers/webhook.py`, `numbers/`, `api/`, `GET /numbers/`, `/webhook`"
    assert list(missing_places(text, places)) == []
    assert list(missing_places("`gone.py`", places)) == ["gone.py"]
    assert list(missing_places("`numbers/gone.py::f`, `api/gone/`", places)) == [
        "numbers/gone.py",
        "api/gone/",
    ]


def test_missing_name_is_found() -> None:
    """An identifier that nothing in the source contains is reported, a part at a time."""
    text = "`Pipe.close`, `Pipe.gone`, `pipe.py`, `GET /x`, `Gone`"

    assert list(missing_names(text, "class Pipe:\n    def close(self): ...")) == ["gone", "Gone"]


def test_broken_link_is_found(tmp_path: Path) -> None:
    """A link to a missing heading or a missing file is reported."""
    document = tmp_path / "a.md"
    document.write_text("# A `b`, c\n[x](#a-b-c) [y](#gone) [z](gone.md) [w](https://example.org)")

    found = broken_links(document, {document.resolve(): anchors_of(document.read_text())})

    assert list(found) == ["#gone", "gone.md"]
