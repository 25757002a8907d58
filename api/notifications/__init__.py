"""Notifications over HTTP: accepting them, their fate, their templates, and Planfix's events."""
