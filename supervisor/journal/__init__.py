"""Durable messages: decisions about them, their rows and the SQL."""
