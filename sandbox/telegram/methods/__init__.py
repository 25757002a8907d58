"""The methods that clients may call, in folders by concern and a module for each family.

Modules below this folder are found automatically. Their functions are marked with
@method(functions.x.YRequest), get the Call and the request, and return the TL result (a bool, a
list or an object) or raise RpcError("X"). MessageActions acts on messages, UpdatePush pushes updates to
other sessions, and tl_views shows our records as TL objects. people/users.py is a short example.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages


def load() -> None:
    """Register the methods of every family."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
