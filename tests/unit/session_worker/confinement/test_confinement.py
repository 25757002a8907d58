"""What is made of what different systems offer for the confinement of workers."""

from __future__ import annotations

import struct

import pytest

from session_worker.confinement.confinement import USERS, handled, has_room, is_able, ruleset_of
from session_worker.confinement.seccomp import MACHINES, NEEDLESS, NUMBERS

FULL = "         0          0 4294967295\n"
ROOTLESS = "         0       1000          1\n         1     100000      65536\n"
DOCKER = "a80425fb"
"""The capabilities that a container has by default."""


@pytest.mark.parametrize(
    ("version", "rights", "size"),
    [(1, 13, 8), (2, 14, 8), (3, 15, 8), (4, 15, 16), (5, 16, 16), (6, 16, 24), (7, 16, 24)],
)
def test_older_landlock_is_asked_for_less(version: int, rights: int, size: int) -> None:
    """A kernel that does not know a right, or ports and signals, refuses whoever names them."""
    assert handled(version) == (1 << rights) - 1
    content = ruleset_of(version)
    assert len(content) == size
    assert struct.unpack_from("=Q", content) == (handled(version),)


@pytest.mark.parametrize(("mapped", "found"), [(FULL, True), (ROOTLESS, False), ("", False)])
def test_users_need_room(mapped: str, found: bool) -> None:
    """A container with few users has none for workers; half a range does not do."""
    assert has_room(mapped) is found
    assert not has_room(f"0 0 {USERS[-1]}")


@pytest.mark.parametrize(
    ("capabilities", "found"),
    [("000001ffffffffff", True), (DOCKER, True), ("0000000000000000", False), ("c0", False)],
)
def test_root_may_be_root_in_name_only(capabilities: str, found: bool) -> None:
    """Whoever can't end what runs as another user must not let it run as one."""
    assert is_able(f"Name:\tpython\nCapEff:\t{capabilities}\n") is found


@pytest.mark.parametrize("machine", MACHINES)
def test_no_two_calls_have_one_number(machine: str) -> None:
    """A number that stands twice in the table would refuse what is needed."""
    column = list(MACHINES).index(machine)
    numbers = [each[column] for each in (*NEEDLESS.values(), *NUMBERS.values())]
    found = [number for number in numbers if number is not None]

    assert len(found) == len(set(found))
