"""The layout of the product: small folders, plain names, no needless modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house_rules import layout, names, trips, verbs
from tests.house_rules.rules import Source

TOP = Path(__file__).parents[2]
PRODUCT = ("api", "sandbox", "session_worker", "supervisor", "teamflame", "benchmarks")


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    paths = sorted(path for package in PRODUCT for path in (TOP / package).rglob("*.py"))
    return [Source(str(path.relative_to(TOP)), path.read_text()) for path in paths]


def test_folders_are_small(sources: list[Source]) -> None:
    """No folder of the product has more modules than one can keep in mind."""
    assert list(layout.folders_are_small([source.path for source in sources])) == []


def test_names_say_what(sources: list[Source]) -> None:
    """Modules are named by the glossary, by the protocols, by engineering."""
    assert list(layout.names_say_what([source.path for source in sources])) == []


def test_a_word_has_one_place() -> None:
    """A word stands in one vocabulary, so that it is clear where its meaning is explained."""
    places = (names.GLOSSARY, names.PROTOCOLS, names.ENGINEERING, names.JOINING)

    assert sum(map(len, places)) == len(names.WORDS)


def test_words_are_used(sources: list[Source]) -> None:
    """No word outlives the modules it was listed for; the glossary is there for all of the product."""
    used = {word for source in sources for word in layout.words_of(source.path)}

    assert names.WORDS - names.GLOSSARY - used == frozenset()


def test_verbs_are_ours(sources: list[Source]) -> None:
    """Functions that do the same thing begin with the same verb."""
    assert [found for source in sources for found in verbs.verbs_are_ours(source)] == []


def test_pairs_are_kept(sources: list[Source]) -> None:
    """What a class does and undoes, it does and undoes with one pair of verbs."""
    assert [found for source in sources for found in verbs.pairs_are_kept(source)] == []


def test_broken_pair_is_found() -> None:
    """A class that is started but closed is reported, unless it is on the list."""
    kept, broken = (
        Source("a.py", f"class A:\n def start(self): ...\n def {verb}(self): ...")
        for verb in ("stop", "close")
    )

    assert list(verbs.pairs_are_kept(broken))
    assert not list(verbs.pairs_are_kept(broken, frozenset({"A"})))
    assert not list(verbs.pairs_are_kept(kept))


def test_unchanged_verbs_are_needed(sources: list[Source]) -> None:
    """The list of functions with another verb only shrinks."""
    assert list(verbs.unchanged_are_needed(sources)) == []


def test_pairs_of_verbs_are_clear() -> None:
    """No verb belongs to two pairs, and none of a pair is to be replaced."""
    ours = [*verbs.PAIRS, *verbs.PAIRS.values()]

    assert len(set(ours)) == len(ours)
    assert not set(ours) & set(verbs.INSTEAD)


def test_other_verb_is_found() -> None:
    """A verb to be replaced is reported once per function, unless it is on the list."""
    source = Source(
        "api/calls.py", "def _take(x): ...\nasync def take_place(): ...\ndef takes(): ..."
    )

    assert len(list(verbs.verbs_are_ours(source, {}))) == 2
    assert len(list(verbs.verbs_are_ours(source, {"api": frozenset({"_take"})}))) == 1
    assert not list(verbs.unchanged_are_needed([source], {"api": frozenset({"_take"})}))
    assert list(verbs.unchanged_are_needed([source], {"api": frozenset({"tell"})}))


def test_small_modules_have_a_reason(sources: list[Source]) -> None:
    """A module of a few lines for a single importer says why it is one."""
    assert list(layout.small_modules_have_a_reason(sources)) == []


def test_few_have_one_importer(sources: list[Source]) -> None:
    """The share of modules that serve a single neighbour does not grow."""
    assert list(layout.few_have_one_importer(sources)) == []


def test_many_single_importers_are_found() -> None:
    """Modules with one importer are reported from the limit on; those with two, with calls or of a language are not."""
    parts = [Source(f"api/{name}.py", "") for name in "ab"]
    one, two = (Source(f"api/{name}.py", "from api import a, b\n") for name in ("one", "two"))

    assert list(layout.few_have_one_importer([*parts, one], most=0.5))
    assert not list(layout.few_have_one_importer([*parts, one], most=0.7))
    assert not list(layout.few_have_one_importer([*parts, one, two], most=0.0))
    calls = Source("api/calls.py", "\nblueprint = Blueprint('calls')")
    app = Source("api/app.py", "from api import calls\n")
    assert not list(layout.few_have_one_importer([calls, app], most=0.0))
    languages = Source("api/texts.py", "from api.reasons import uk\n")
    assert not list(layout.few_have_one_importer([Source("api/reasons/uk.py", ""), languages], 0.0))


def test_reasons_are_needed(sources: list[Source]) -> None:
    """No reason outlives its module."""
    assert list(layout.reasons_are_needed(sources)) == []


def test_crowded_folder_is_found() -> None:
    """Fifteen modules are too many, except where each is a migration."""
    crowd = [f"{{}}/{name}.py" for name in "abcdefghijklmno"]

    assert list(layout.folders_are_small([path.format("api") for path in crowd]))
    assert not list(layout.folders_are_small([path.format("api") for path in crowd[1:]]))
    versions = "supervisor/migrations/versions"
    assert not list(layout.folders_are_small([path.format(versions) for path in crowd]))


def test_picture_is_found() -> None:
    """A word from nowhere is reported, whatever stands beside it."""
    words = frozenset({"numbers", "keeper"})

    assert list(layout.names_say_what(["api/numbers_tray.py"], words))
    assert not list(layout.names_say_what(["api/keeper.py", "a/v0001_numbers.py"], words))


def test_needless_module_is_found() -> None:
    """A small module with one importer is reported, one with two or with a reason is not."""
    small = Source("api/small.py", "x = 1\n")
    one, two = (Source(f"api/{name}.py", "from api.small import x\n") for name in ("one", "two"))
    unused = ("api/one.py", "api/two.py")

    assert list(layout.small_modules_have_a_reason([small, one], {}))
    assert not list(layout.small_modules_have_a_reason([small, one, two], {}))
    assert not list(layout.small_modules_have_a_reason([small, one], {"api/small.py": "a reason"}))
    assert list(layout.reasons_are_needed([small, one, two], {"api/small.py": "a reason"}))
    assert not list(layout.small_modules_have_a_reason([Source(path, "") for path in unused], {}))


def test_trips_are_short() -> None:
    """The trips through the code that the documentation lists go through files that exist, and get no longer."""
    text = (TOP / "docs" / "architecture.md").read_text()

    assert trips.trips_of(text).keys() == trips.MOST.keys()
    assert list(trips.trips_are_short(text, TOP)) == []


def test_long_trip_is_found(tmp_path: Path) -> None:
    """A hop too many, a hop that is named twice and a hop to nowhere are reported."""
    title, most = next(iter(trips.MOST.items()))
    files = [f"hop{number}" for number in range(most)]
    for name in files:
        (tmp_path / f"{name}.py").touch()
    block = "### The trips, file by file\n```text\n{}\n.  {}\n```"

    assert not list(trips.trips_are_short(block.format(title, " ".join(files)), tmp_path))
    for more in ("gone", "hop1"):
        found = list(trips.trips_are_short(block.format(title, " ".join([*files, more])), tmp_path))
        assert len(found) == 2
