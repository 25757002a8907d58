"""The reference names everything that callers and operators can meet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from api import create_app
from api.requests import errors
from api.settings import Settings
from session_worker.protocol.contract import TroubleCode
from session_worker.protocol.messages import FailureCode
from supervisor.numbers.state import State
from supervisor.processes.worker_exit import WorkerExit
from tests.fakes.gateway import FakeGateway

if TYPE_CHECKING:
    from collections.abc import Iterable

TOP = Path(__file__).parents[2]
REFERENCE = TOP / "docs" / "reference.md"
TROUBLESHOOTING = TOP / "docs" / "troubleshooting.md"
# Ends that are no trouble; their numbers wait for a login or go on.
QUIET = {WorkerExit.LOGGED_IN, WorkerExit.NEEDS_LOGIN, WorkerExit.REPLACED}


@pytest.mark.parametrize("place", [REFERENCE, TOP / ".env.example"], ids=lambda path: path.name)
def test_settings_are_told(place: Path) -> None:
    """Every setting is in the reference and in the example."""
    names = [name.upper() for name in Settings.model_fields]

    assert _untold(names, place, r"\b{}\b") == []


def test_calls_are_told(tmp_path: Path) -> None:
    """Every address of the gateway is in the reference, with its methods."""
    told = _calls_in(REFERENCE.read_text().partition("\n## States")[0])
    values = {"admin_key": "key-of-the-tests", "sandbox": True, "data_dir": tmp_path}
    rules = create_app(Settings.model_validate(values), FakeGateway()).url_map.iter_rules()
    calls = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", "{}", rule.rule))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    # The login page's own parts, and files that belong to pages.
    parts = {("GET", "/login/{}/state"), ("GET", "/login/{}/qr.svg"), ("GET", "/static/{}")}
    assert sorted(calls - parts - told) == []


def test_states_are_told() -> None:
    """Every state of a number is in the reference."""
    assert _untold(State, REFERENCE, r"^\| `{}` \| (?:online|offline) \|") == []


def test_errors_are_told() -> None:
    """Every code that an error may have is in the reference."""
    codes = {code for _, code in errors._GATEWAY_ERRORS.values()}
    codes |= {code for code, _ in errors._HTTP_ERRORS.values()}
    sources = "".join(path.read_text() for path in (TOP / "api").rglob("*.py"))
    codes |= set(re.findall(r'(?<!Bot)ApiError\(\s*\d+, "([^"]+)"', sources))

    assert _untold(codes, REFERENCE, "`{}`") == []


def test_metrics_are_told() -> None:
    """Every metric is in the reference."""
    source = "".join(path.read_text() for path in (TOP / "api" / "operations").glob("*.py"))

    assert _untold(set(re.findall(r'"(telefix_\w+)"', source)), REFERENCE, "`{}") == []


def test_troubles_are_told() -> None:
    """Every code of `last_error`, and of what fails on the way to Planfix, has its remedy."""
    codes = [*TroubleCode, *FailureCode, *(set(WorkerExit) - QUIET)]

    assert _untold(codes, TROUBLESHOOTING, "`{}`") == []


def test_missing_name_is_found(tmp_path: Path) -> None:
    """What a document leaves out is reported, and a call is known by its method and its path."""
    document = tmp_path / "a.md"
    document.write_text("| `online` | | `GET`, `POST /a/{x}` |\n### B: `/b`\n| `PUT` | |\n")

    assert _untold(["online", "deaf"], document, r"^\| `{}` \|") == ["deaf"]
    assert _calls_in(f"\n{document.read_text()}") == {
        ("GET", "/a/{}"),
        ("POST", "/a/{}"),
        ("PUT", "/b"),
    }


def _untold(names: Iterable[str], document: Path, pattern: str) -> list[str]:
    text = document.read_text()
    found = (str(name) for name in names)
    return sorted(
        name for name in found if not re.search(pattern.format(re.escape(name)), text, re.MULTILINE)
    )


def _calls_in(text: str) -> set[tuple[str, str]]:
    """Find the calls, named `GET /path` or, below a heading with a path, by their method alone."""
    methods = r"((?:`?(?:GET|POST|PUT|PATCH|DELETE)`?(?:, )?)+)"
    calls = set()
    for named, path in re.findall(rf"{methods} (/[^\s`]*)", text):
        calls |= {(method, _bare(path)) for method in re.findall(r"[A-Z]+", named)}
    for section in text.split("\n### ")[1:]:
        heading, _, body = section.partition("\n")
        for path in re.findall(r"`(/[^`]+)`$", heading):
            calls |= {(each, path) for each in re.findall(r"^\| `([A-Z]+)` \|", body, re.MULTILINE)}
    return calls


def _bare(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
