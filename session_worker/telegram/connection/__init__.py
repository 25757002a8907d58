"""Staying connected and following the updates."""
