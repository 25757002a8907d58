"""The calls and the page with which a number logs in."""
