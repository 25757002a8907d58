"""Accounts, their logins and how they find each other."""
