"""The calls and the page that log a number in."""
