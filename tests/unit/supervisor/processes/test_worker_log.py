"""The lines of a worker's log that the gateway keeps."""

from __future__ import annotations

from session_worker.protocol.contract import LogLine
from supervisor.processes.worker_log import GATEWAY, LONGEST_LINE, MOST_LINES, WorkerLog


def line(text: str) -> LogLine:
    return LogLine(at=1.0, level="INFO", text=text)


def test_newest_lines_are_kept() -> None:
    """Of many lines the last are kept, each cut: no worker makes the gateway remember without end."""
    log = WorkerLog()
    log.add(line(f"{count} " + "x" * 900) for count in range(3 * MOST_LINES))

    kept = log.after(None)

    assert len(kept) == MOST_LINES
    assert kept[0].text.startswith(f"{2 * MOST_LINES} ")
    assert {len(each.text) for each in kept} == {LONGEST_LINE}


def test_reader_goes_on_where_it_stopped() -> None:
    """After the id of a line come the newer ones, with what the gateway itself has to say."""
    log = WorkerLog()
    log.add([line("first"), line("second")])
    [_, second] = log.after(None)
    log.record("its process ended", "worker_killed")

    [ended] = log.after(second.id)

    assert (ended.level, ended.text) == (GATEWAY, "its process ended: worker_killed")
    assert log.after(ended.id) == ()
    assert WorkerLog().after(None) == ()
