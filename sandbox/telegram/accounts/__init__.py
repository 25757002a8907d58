"""Accounts, how each login sees the others, and passwords."""
