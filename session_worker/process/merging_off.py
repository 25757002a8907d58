"""Turns off the merging of pages in the forkserver; it is imported first, whatever systemd has set."""

from __future__ import annotations

from session_worker.process.page_merging import let_pages_be_merged

let_pages_be_merged(wanted=False)
