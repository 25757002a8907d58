from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
INI = """
[pytest]
markers = counts_messages
"""
UNLUCKY = """
from pathlib import Path
def is_first(name):
    place = Path(name)
    is_new = not place.exists()
    place.touch()
    return is_new
def test_unlucky(): assert not is_first("unlucky")
def test_good(): assert is_first("good")
"""
HOPELESS = "def test_hopeless(): assert False"
LOSING = """
import pytest
@pytest.mark.counts_messages
def test_losing(): assert False
"""
MANY = "import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_many(n): assert False"
BROKEN = "import nothing_of_this_name"


@pytest.mark.parametrize(
    ("programs", "passes", "said"),
    [
        ([UNLUCKY], True, "Flaky, to be mended next:\n    test_0.py::test_unlucky"),
        ([UNLUCKY, HOPELESS], False, "1 failed, 1 passed"),
        ([UNLUCKY, LOSING], False, "after kills:\n    test_1.py::test_losing"),
        ([MANY], False, "Not repeated"),
        ([BROKEN], False, ""),
    ],
    ids=["unlucky", "hopeless", "losing", "many", "broken"],
)
def test_only_bad_luck_is_forgiven(
    tmp_path: Path, programs: list[str], passes: bool, said: str
) -> None:
    """Few failed tests are run once more, alone, and told; nothing else makes a run pass."""
    (tmp_path / "pytest.ini").write_text(INI)
    for place, program in enumerate(programs):
        (tmp_path / f"test_{place}.py").write_text(program)

    first = _run(tmp_path, "pytest")
    second = _run(tmp_path, "tests.support.repetition", str(first.returncode))

    assert first.returncode != 0
    assert (second.returncode == 0) is passes, second.stdout
    assert said in second.stdout


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TOP), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
