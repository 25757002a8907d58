"""Imported by the forkserver before all else where equal pages of workers are to be merged."""

from __future__ import annotations

from session_worker.process.page_merging import let_pages_be_merged

let_pages_be_merged(wanted=True)
