"""A second chance for failed tests: each runs once more, alone, and is reported as flaky if it passes.

Run as `python -m tests.support.repetition STATUS` after a run of pytest that ended with this status.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

PYTEST = ("-m", "pytest")
LAST_FAILED = ("--last-failed", "--last-failed-no-failures", "none")
# Bad luck strikes few; a test that counts messages after kills may have lost one for real.
MOST = 5
NEVER = "counts_messages"


def main(status: int) -> int:
    """Return the status that the run as a whole deserves."""
    if status != pytest.ExitCode.TESTS_FAILED:
        return status
    failed, lasting = _failed(), _failed(NEVER)
    if lasting:
        return _tell("Never repeated, for they count messages after kills:", lasting, status)
    if not 0 < len(failed) <= MOST:
        return _tell(f"Not repeated, for they are not 1 to {MOST}:", failed, status)
    _tell("Repeated, alone:", failed, status)
    again = _run(*PYTEST, *failed)
    if again.returncode:
        return again.returncode
    return _tell("Flaky, to be mended next:", failed, 0)


def _failed(mark: str = "") -> list[str]:
    """Name the tests that failed last, or those of them with a mark."""
    asked = _run(*PYTEST, *LAST_FAILED, "--collect-only", "-q", "-m", mark, is_heard=True)
    return [line for line in asked.stdout.splitlines() if "::" in line]


def _run(*command: str, is_heard: bool = False) -> subprocess.CompletedProcess[str]:
    heard = subprocess.PIPE if is_heard else None
    return subprocess.run([sys.executable, *command], check=False, stdout=heard, text=True)


def _tell(what: str, tests: list[str], status: int) -> int:
    sys.stdout.write("\n".join(["", what, *(f"    {test}" for test in tests), "", ""]))
    sys.stdout.flush()
    return status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
