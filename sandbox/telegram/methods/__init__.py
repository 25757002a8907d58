"""The methods clients may call, one module per family.

A module here is found by itself. Its functions are marked with @method(functions.x.YRequest), take
the Call with the request, return the TL result (a bool, a list, an object) or raise RpcError("X").
What happens to messages is done by PostOffice, what others must hear goes through Courier, what is
shown to whom comes from views. users.py is the shortest example.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Register the methods of every family."""
    for module in iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
