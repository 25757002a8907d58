"""What the console says, one file for each language."""
