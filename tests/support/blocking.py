"""The detector of blocking calls that our packages make in an event loop."""

from __future__ import annotations

import functools
from pathlib import Path
from types import ModuleType

from blockbuster import BlockBuster

TOP = Path(__file__).parents[2]
PACKAGES = ("api", "sandbox", "session_worker", "supervisor", "teamflame")
ALLOWED = (
    ("coverage/collector.py", "lock_data"),  # held for a moment by other threads that are measured
    ("<frozen importlib._bootstrap>", "_find_and_load"),  # a late import happens once
    ("quart/app.py", "__init__"),  # Quart's constructor looks for its folders
    ("quart/helpers.py", "send_file"),  # asks for a file's size, reads it in a thread
    ("jinja2/loaders.py", "get_source"),  # a template is read once, then cached
    ("supervisor/processes/liveness.py", "read_usage"),  # the kernel answers from memory
    ("sqlalchemy/dialects/sqlite/pysqlite.py", "create_connect_args"),  # only makes a path absolute
)


@functools.cache
def find_detector() -> BlockBuster:
    """Make it once: each of thousands of tests activates it."""
    detector = BlockBuster([_package(name) for name in PACKAGES])
    for call in detector.functions.values():
        for file, function in ALLOWED:
            call.can_block_in(file, function)
    return detector


def _package(name: str) -> ModuleType:
    """Stand for a package by its folder, so that it need not be imported."""
    package = ModuleType(name)
    package.__path__ = [f"{TOP / name}/"]
    return package
