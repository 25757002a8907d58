"""The texts of all packages, in all languages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from string import Formatter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

LANGUAGES = {"en", "ru", "uk"}
SHAPES = {"bot_texts", "chat_texts", "state"}  # modules beside the languages
PACKAGES = [
    *("api.texts.console", "api.texts.login_page", "api.texts.values"),
    *("session_worker.texts", "supervisor.texts", "teamflame.texts"),
]


def texts_of(module: ModuleType) -> dict[str, str]:
    """Give every text of a module by the path that leads to it."""
    public = {name: value for name, value in vars(module).items() if name.isupper()}
    return dict(flatten("", {name: public[name] for name in public if name[0] != "_"}))


def flatten(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(f"{path}/{key}", inner)
    elif isinstance(value, tuple | list):
        for place, inner in enumerate(value):
            yield from flatten(f"{path}/{place}", inner)
    elif is_dataclass(value):
        for field in fields(value):
            yield from flatten(f"{path}/{field.name}", getattr(value, field.name))
    else:
        raise TypeError(f"{path} is no text: {value!r}")


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("package", PACKAGES)
def test_package_has_one_module_for_each_language(package: str) -> None:
    """All texts of a package in a language are in one file."""
    path = importlib.import_module(package).__path__

    assert {module.name for module in pkgutil.iter_modules(path)} - SHAPES == LANGUAGES


@pytest.mark.parametrize("language", sorted(LANGUAGES - {"en"}))
@pytest.mark.parametrize("package", PACKAGES)
def test_languages_have_the_same_texts(package: str, language: str) -> None:
    """Each text is there in each language, with the same placeholders."""
    english = texts_of(importlib.import_module(f"{package}.en"))
    others = texts_of(importlib.import_module(f"{package}.{language}"))

    assert english
    assert english.keys() == others.keys()
    assert {path: placeholders(text) for path, text in english.items()} == {
        path: placeholders(text) for path, text in others.items()
    }
