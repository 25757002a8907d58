"""Finds in the sources every reason that a caller of the API may be given."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from supervisor import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
FOLDERS = ("api", "supervisor", "session_worker/protocol")
# The settings are read at the start, and the Bot API speaks as Telegram does.
ELSEWHERE = {
    "settings.py",
    "settings_fields.py",
    "client_address.py",
    "file_access.py",
    "keys.py",
    "pipe.py",
    "bot_api",
    "monitoring",
}
AT_THE_START = (
    errors.DatabaseOwned,
    errors.DatabaseNotShared,
    errors.DatabaseUrlInvalid,
    errors.DatabaseTooNew,
    errors.SecretKeyMalformed,
    errors.SecretKeyWrong,
)
CALLS = {
    *("ApiError", "invalid", "invalid_parameters", "not_found", "_unsupported", "Readiness"),
    *("ValueError", "ProxyMalformed", "Rejected", "_Refused"),
}
VARIABLES = {
    "detail",
    "reason",
    "ADDRESS",
    "SCHEMES",
    "_UNSOUND",
    "_HTTP_ERRORS",
    "_INTERNAL_ERROR",
}
FUNCTIONS = {"objection", "reason", "not_active_reason"}  # whose results are reasons
OUTER_SHAPES = {"{}; try again in {} s", "{} ({})"}  # made around the reason of an error


def gateway_errors() -> Iterator[type[errors.GatewayError]]:
    for found in vars(errors).values():
        if isinstance(found, type) and issubclass(found, errors.GatewayError):
            yield found


def reasons_in_sources() -> set[str]:
    found = set(OUTER_SHAPES)
    for error in gateway_errors():
        if not issubclass(error, AT_THE_START):
            found.add(inspect.getdoc(error) or "")
    for folder in FOLDERS:
        for path in (TOP / folder).rglob("*.py"):
            if not ELSEWHERE & set(path.relative_to(TOP).parts):
                found.update(reasons_in(path.read_text()))
    return found


def reasons_in(source: str) -> Iterator[str]:
    """Find sentences that are raised or answered; a value in them is written {}."""
    raised = CALLS | {
        error.__name__ for error in gateway_errors() if not issubclass(error, AT_THE_START)
    }
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in raised:
                args = node.args[2:] if name == "ApiError" else node.args
                parts = [*args, *(each.value for each in node.keywords)]
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in VARIABLES:
                parts = [value]
            case ast.FunctionDef(name=name) if name in FUNCTIONS:
                returned = (each for each in ast.walk(node) if isinstance(each, ast.Return))
                parts = [each.value for each in returned if each.value is not None]
            case _:
                continue
        for part in parts:
            yield from (text for text in _texts(part) if " " in text)


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in values)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (*_texts(body), *_texts(orelse))
        case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
            for value in values:
                yield from _texts(value)
        case ast.Dict(values=values):
            for value in values:
                yield from _texts(value)
        case _:
            pass
