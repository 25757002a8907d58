"""The migrations of the tables, which run at start."""
