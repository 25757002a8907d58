"""Imported by the forkserver before all else where pages must not be merged, whatever systemd has set."""

from __future__ import annotations

from session_worker.process.page_merging import let_pages_be_merged

let_pages_be_merged(wanted=False)
