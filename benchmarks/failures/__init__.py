"""What becomes of numbers when something fails, and how soon it is repaired."""
