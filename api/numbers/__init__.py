"""The calls that create, show, change, and stop numbers."""
