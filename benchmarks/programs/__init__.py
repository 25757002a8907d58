"""The programs that are measured, and what writes to their numbers."""
