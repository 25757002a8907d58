"""The methods that clients may call, one module per family.

Modules in this folder and below are found automatically. Their functions are marked with
@method(functions.x.YRequest), get the Call and the request, and return the TL result (a bool, a
list or an object) or raise RpcError("X"). PostOffice acts on messages, Courier pushes updates to
other sessions, and tl_views shows our records as TL objects. users.py is the shortest example.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages


def load() -> None:
    """Register the methods of every family."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
