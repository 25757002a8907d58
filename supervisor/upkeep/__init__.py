"""Chores in the background."""
