"""Accounts, the logins that see through their eyes, and their passwords."""
