"""Attacks by a process that has a single layer of a worker's confinement.

Run in an empty folder as `python -m tests.process.workers.single_layer LAYER TARGETS`; prints how each attempt ended.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - loaded late by Python; the forkserver has it
import json
import resource
import sys
from pathlib import Path

from session_worker.confinement import seccomp
from session_worker.confinement.confinement import (
    LANDLOCK,
    OWN_USER,
    SECCOMP,
    become,
    ensure_owner,
    readable_folders,
    restrict_files,
)
from tests.fakes.attacks import Targets, attempt


def put_on(layer: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    match layer:
        case _ if layer == OWN_USER:
            become(ensure_owner(Path.cwd()))
        case _ if layer == LANDLOCK:
            restrict_files(readable_folders(), Path())
        case _ if layer == SECCOMP:
            seccomp.refuse_needless_calls()
        case _:
            raise ValueError(layer)


if __name__ == "__main__":
    put_on(sys.argv[1])
    print(json.dumps(attempt(Targets.model_validate_json(sys.argv[2]))))  # noqa: T201 - its answer
