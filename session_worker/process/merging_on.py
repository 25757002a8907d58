"""Turns on the merging of equal pages of workers in the forkserver; it is imported first."""

from __future__ import annotations

from session_worker.process.page_merging import let_pages_be_merged

let_pages_be_merged(wanted=True)
