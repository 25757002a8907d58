"""Starting, stopping and living under hypercorn."""
