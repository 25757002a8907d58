"""Logins under way, and logins carried over to the other data centre."""
