"""The log of the gateway itself, whose lines have the same shape as those of its workers."""

from __future__ import annotations

from session_worker.process.log import set_up as set_up_log

__all__ = ["set_up_log"]
