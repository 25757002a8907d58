"""Notifications over HTTP: accepting them, their outcomes, their templates, and Planfix's events."""
