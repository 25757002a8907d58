"""Runs the benchmarks: `python -m benchmarks [NAME...]`, by default all of them."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from benchmarks import notifications, sandbox_load, teamflame
from benchmarks.alternatives import comparison
from benchmarks.failures import outages, starvation, takeover
from benchmarks.measurement import describe_machine, table
from benchmarks.messages import fairness, messages
from benchmarks.numbers import fleet, growth, merging

if TYPE_CHECKING:
    from benchmarks.measurement import Benchmark

RESULTS = Path(__file__).with_name("results.json")
# A new benchmark is a module with an async measure(); its line here makes it part of the run.
BENCHMARKS: dict[str, Benchmark] = {
    "sandbox": sandbox_load.measure,
    "fleet": fleet.measure,
    "takeover": takeover.measure,
    "messages": messages.measure,
    "notifications": notifications.measure,
    "fairness": fairness.measure,
    "alternatives": comparison.measure,
    "merging": merging.measure,
    "growth": growth.measure,
    "starvation": starvation.measure,
    "outages": outages.measure,
    "teamflame": teamflame.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark is named {', '.join(sorted(unknown))}")
    results = read_results()
    for name in names:
        machine = describe_machine()
        figures = uvloop.run(BENCHMARKS[name]())
        print(table(name, figures), flush=True)
        results[name] = {"machine": machine, "figures": [asdict(figure) for figure in figures]}
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")


def read_results() -> dict[str, Any]:
    """Return the results of earlier runs, which are kept for benchmarks that are not run now."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


if __name__ == "__main__":
    main()
