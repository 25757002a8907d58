"""A worker as an operating-system process."""
