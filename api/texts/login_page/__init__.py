"""What the login page says, one file for each language."""
