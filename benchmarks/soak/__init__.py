"""Thousands of messages while processes are killed."""
