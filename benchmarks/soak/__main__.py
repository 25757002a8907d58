"""Thousands of messages in both directions, while workers and the whole gateway are killed at random.

Run it as `python -m benchmarks.soak [MESSAGES]`; `--minutes 60 --busy 4` repeats it for an hour under load.
With `--calm` nothing is killed and one gateway runs all the time, to see whether anything grows.
With `--postgresql` the gateway uses a PostgreSQL server that is started for it.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import uvloop

from benchmarks.programs.processes import busy_loops
from benchmarks.soak.soak import NUMBERS, RATE, soak
from tests.support.databases import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGES = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("messages", nargs="?", type=int, default=MESSAGES)
    parser.add_argument("--numbers", type=int, default=NUMBERS)
    parser.add_argument("--rate", type=float, default=RATE, help="messages a second in all")
    parser.add_argument("--seed", type=int, help="of the first run; random without it")
    parser.add_argument("--minutes", type=float, default=0.0, help="repeat for so long")
    parser.add_argument("--busy", type=int, default=0, help="busy loops beside it")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--calm", action="store_true", help="kill nothing, and let nothing grow")
    options = parser.parse_args()
    if options.calm:
        options.messages = max(options.messages, int(60 * options.minutes * options.rate))
    seeds = itertools.count(options.seed or random.SystemRandom().getrandbits(32))
    end = time.monotonic() + 60 * options.minutes
    with busy_loops(options.busy):
        is_good = _run_once(options, next(seeds))
        while is_good and time.monotonic() < end:
            is_good = _run_once(options, next(seeds))
    sys.exit(not is_good)


def _run_once(options: argparse.Namespace, seed: int) -> bool:
    print(f"seed {seed}", flush=True)
    size = (options.messages, options.numbers, options.rate)
    with _database(is_postgresql=options.postgresql) as database:
        outcome = uvloop.run(soak(*size, seed, database, is_calm=options.calm))
    for name, value in asdict(outcome).items():
        print(f"  {name.replace('_', ' '):20}  {value:>10,.6g}", flush=True)
    return outcome.is_good


@contextmanager
def _database(*, is_postgresql: bool) -> Iterator[str | None]:
    """Make an empty PostgreSQL database if it is wanted; without one the gateway uses SQLite."""
    if not is_postgresql:
        yield None
        return
    with running_postgres() as postgres, postgres.fresh_database() as url:
        yield url


if __name__ == "__main__":
    main()
