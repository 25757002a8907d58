"""Planfix's chat API."""
