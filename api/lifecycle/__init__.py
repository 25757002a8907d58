"""Starting, stopping, and running under hypercorn."""
