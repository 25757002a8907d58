"""Forking, watching and reaping workers."""
