"""Chores in the background: retention and the rotation of keys."""
