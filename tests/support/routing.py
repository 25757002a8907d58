"""Applications whose URL builders are compiled when they build a URL, which they hardly ever do."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

if TYPE_CHECKING:
    from collections.abc import Callable


def compile_builders_late() -> None:
    """Spare each application that a test makes nine tenths of its making."""
    compile_builder = Rule._compile_builder

    def compile_late(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        compiled = functools.cache(lambda: compile_builder(rule, append_unknown))

        def build(*args: Any, **values: Any) -> Any:
            return compiled()(*args, **values)

        return build

    Rule._compile_builder = compile_late  # type: ignore[assignment,method-assign] # there is no setting
